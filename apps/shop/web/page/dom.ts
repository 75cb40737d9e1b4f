type Attribute = string | boolean | undefined;

/** Creates an element. An attribute that is `true` has no value; one that is `false` or undefined is omitted. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, Attribute>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/**
 * Finds an element of the page by its id.
 *
 * @throws TypeError if the page does not have it, or it is of another type
 */
export function required<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new TypeError(`the page has no ${kind.name} with the id "${id}"`);
}

/** Shows a text, or hides the element without one. */
export function showText(target: HTMLElement, text: string | undefined): void {
  target.textContent = text ?? "";
  target.hidden = text === undefined;
}
