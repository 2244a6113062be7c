// A plate is typed with one thumb: the province is chosen, the rest is letters and digits.

import { el } from "./dom.js";
import { field, input, select } from "./forms.js";
import { word } from "./language.js";

// GA 36-2018: the 31 provinces; 使 and WJ plates are rare enough to be typed.
const PROVINCES = "鲁粤京津沪渝冀豫云辽黑湘皖苏浙赣鄂桂甘晋蒙陕吉闽贵青藏川宁新琼";

export function plateField(label, one) {
  const text = input(one.name, { maxLength: one.max_length || 20, required: one.required, autocapitalize: "characters", spellcheck: false });
  const province = select("province", [["", word("province")], ...[...PROVINCES].map((name) => [name, name])], "");
  province.setAttribute("aria-label", word("province"));
  province.addEventListener("change", () => {
    if (!province.value) return;
    const rest = PROVINCES.includes(text.value[0] ?? " ") ? text.value.slice(1) : text.value;
    text.value = province.value + rest;
    text.focus();
  });
  const node = field(label, text);
  const line = el("div", "plate-line", province);
  node.insertBefore(line, text);
  line.append(text);
  return { node, value: () => text.value.replaceAll(/\s/g, "").toUpperCase() || undefined };
}
