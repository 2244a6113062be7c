// One's own account for everybody; programs, configuration and diagnostics for a technician; people and the audit for an admin.

import { actionButton } from "./actions.js";
import { download, Problem } from "./api.js";
import { drawAudit } from "./audit.js";
import { block } from "./blocks.js";
import { drawConfig } from "./config.js";
import { el } from "./dom.js";
import { answerPlace, button, facts, once, showAnswer, showBusy } from "./forms.js";
import { word } from "./language.js";
import { logOut, may, passwordForm, who } from "./session.js";
import { openSheet } from "./sheet.js";
import { drawUpdate } from "./update.js";
import { drawUsers } from "./users.js";

export function show(root) {
  const left = [block("account", word("account"), account())];
  const right = [];
  if (may("technician")) left.push(block("programs", word("programs"), programs()), block("diagnostics", word("diagnostics"), diagnostics()));
  if (may("technician")) left.push(block("config", word("config"), drawConfig(may("admin"))));
  if (may("admin")) {
    left.splice(1, 0, block("users", word("users"), drawUsers()));
    left.push(block("update", word("update"), drawUpdate()));
    right.push(block("audit", word("audit"), drawAudit()));
  }
  root.replaceChildren(el("h1", "", word("tab_admin")), el("div", "columns", el("div", "column", ...left), el("div", "column", ...right)));
}

function account() {
  const me = who();
  const answer = answerPlace();
  const change = button(word("change_password"), () => openSheet(word("change_password"), passwordForm(word("change_now"))));
  const out = button(word("log_out"), async () => {
    try {
      await logOut();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      showAnswer(answer, problem);
    }
  });
  return el("div", "", facts([[word("user"), me.user], [word("role"), word(`role_${me.role}`)]]), el("p", "buttons foot", change, out), answer);
}

function programs() {
  const buttons = ["agent", "lane"].map((program) =>
    actionButton("restart", { program }, { label: word("restart_of", word(`choice_${program}`)), note: word(`choice_${program}`) }));
  return el("p", "buttons", ...buttons.filter(Boolean));
}

function diagnostics() {
  const answer = answerPlace();
  const box = el("div", "", el("p", "soft", word("diagnostics_hint")));
  const start = button(word("download"), () => once(box, async () => {
    showBusy(answer);
    try {
      const name = await download("/api/diagnostics", "parkbox-diagnostics.tar.gz");
      showAnswer(answer, { ok: true, zh: word("downloaded", name), en: word("downloaded", name) });
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      showAnswer(answer, problem);
    }
  }));
  box.append(el("p", "buttons", start), answer);
  return box;
}
