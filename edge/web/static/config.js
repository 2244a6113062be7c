// The configuration out (without secrets) and in: checked by the box, in place at the next start of the programs.

import { download, post, Problem } from "./api.js";
import { el } from "./dom.js";
import { answerPlace, button, field, input, once, showAnswer, showBusy } from "./forms.js";
import { said, word } from "./language.js";

const FILE_MAX_BYTES = 256 * 1024; // a full configuration is under 20 KB

export function drawConfig(mayImport) {
  const answer = answerPlace();
  const out = button(word("config_export"), () => tell(answer, async () => {
    const name = await download("/api/config", "parkbox.toml");
    return { ok: true, zh: word("downloaded", name), en: word("downloaded", name) };
  }));
  const box = el("div", "", el("p", "soft", word("config_hint")), el("p", "buttons", out), answer);
  if (mayImport) box.append(importForm());
  return box;
}

function importForm() {
  const file = input("file", { type: "file", accept: ".toml,application/toml,text/plain", required: true });
  const why = input("why", { maxLength: 200, required: true });
  const answer = answerPlace();
  const form = el("form", "block", el("h3", "", word("config_import")), field(word("file"), file), field(word("reason"), why), button(word("config_check"), null, "primary"), answer);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    once(form, () => tell(answer, async () => {
      const [chosen] = file.files;
      if (chosen.size > FILE_MAX_BYTES) return { ok: false, zh: word("file_too_large"), en: word("file_too_large") };
      return post("/api/config", { text: await chosen.text(), why: why.value.trim() });
    }));
  });
  return form;
}

async function tell(answer, work) {
  showBusy(answer);
  let result = null;
  try {
    result = await work();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    result = problem;
  }
  showAnswer(answer, result);
  answer.append(...(result.issues ?? []).map((issue) => el("span", "issue", `${issue.path} = ${issue.value}: ${said(issue)}`)));
}
