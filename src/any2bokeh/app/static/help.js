// The list of keys and terms.
import { byId } from "./element.js";

const help = byId("help");

export const openHelp = () => help.showModal();

byId("help-close").addEventListener("click", () => help.close());
help.addEventListener("click", (event) => event.target === help && help.close());
