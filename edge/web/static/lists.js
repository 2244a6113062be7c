// What the lists of records share: the answer or the trouble in words, and "older" behind what was found.

import { Problem } from "./api.js";
import { el } from "./dom.js";
import { button } from "./forms.js";
import { said, word } from "./language.js";

export function trouble(problem) {
  if (!(problem instanceof Problem)) throw problem;
  const node = el("p", "answer", `✕ ${said(problem)}`);
  node.dataset.ok = "false";
  return node;
}

// `ask(before)` gives {rows, next_before_seq}; rows are made by `make`. One request looks through a bounded part of the
// records, so an empty answer may still have older ones: asked on, up to a bound, before "none" is said.
const EMPTY_ASKS_MAX = 20;

export async function pagedList(ask, make, emptyWord) {
  const rows = el("ol", "plain rows");
  const foot = el("div", "list-foot");
  const more = async (before) => {
    foot.replaceChildren(el("p", "soft", word("searching")));
    try {
      let page = await ask(before);
      for (let asks = 1; page.rows.length === 0 && page.next_before_seq && asks < EMPTY_ASKS_MAX; asks += 1) {
        page = await ask(page.next_before_seq);
      }
      const first = rows.children.length;
      rows.append(...page.rows.map(make));
      const older = page.next_before_seq ? [button(word("older"), () => more(page.next_before_seq))] : [];
      foot.replaceChildren(...(rows.children.length ? [] : [el("p", "soft", word(emptyWord))]), ...older);
      if (first > 0) rows.children[first]?.querySelector("a, button")?.focus();
    } catch (problem) {
      foot.replaceChildren(trouble(problem), button(word("try_again"), () => more(before)));
    }
  };
  await more(0);
  return [rows, foot];
}
