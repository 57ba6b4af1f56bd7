# The studio and the command line, as a user without rights. docs/integrations.md says how to run it.
FROM python:3.11-slim

RUN useradd --create-home --uid 1000 bokeh

WORKDIR /opt/any2bokeh
COPY locks/ locks/
# The packages of a run and of the studio at the versions that the project is tested with; no model library.
RUN pip install --no-cache-dir --require-hashes --no-deps --requirement locks/run.txt \
    && pip install --no-cache-dir --constraint locks/dev.txt starlette uvicorn
COPY pyproject.toml README.md LICENSE ./
COPY src/ src/
RUN pip install --no-cache-dir --no-deps . && any2bokeh --version

USER bokeh
WORKDIR /home/bokeh
ENV NUMBA_CACHE_DIR=/home/bokeh/.cache/numba \
    PYTHONUNBUFFERED=1
# Compiled code is kept in the image: without it every container would compile for some 18 seconds before its first picture.
# It holds for the kind of processor that builds the image; another kind compiles its own.
RUN any2bokeh demo -o /tmp/demo --quiet && rm -r /tmp/demo
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/live', timeout=4)"]
CMD ["any2bokeh", "app", "--host", "0.0.0.0", "--port", "7860"]
