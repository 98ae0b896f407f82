// HTML and XML, written as templates in which every value is escaped, unless it is markup itself.

import { show } from "./text.ts";

/** Text that is markup already. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template; of `false` and `undefined` nothing is written. */
export type Content = string | number | false | undefined | Markup | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Fills a template: `markup\`<p>${text}</p>\``. Values are safe in elements, and in attributes in quotes. */
export function markup(template: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return new Markup(String.raw({ raw: template }, ...values.map(write)));
}

function write(content: Content): string {
  if (content === false || content === undefined) return "";
  if (content instanceof Markup) return content.text;
  if (typeof content === "object") return content.map(write).join("");
  return show(String(content)).replace(/[&<>"']/g, (one) => ENTITIES[one]);
}

/** Lines of text, as they are. */
export function lines(texts: readonly string[]): Markup {
  return new Markup(texts.map(write).join("\n"));
}
