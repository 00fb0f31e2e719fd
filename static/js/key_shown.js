// A key that was just made is remembered for this tab, so that the reference has it filled in.
import { keep } from "./key_in_tab.js";

const key = document.querySelector("[data-new-key]");
if (key) keep(key.querySelector("code").textContent.trim(), key.dataset.newKey);
