import type { Page } from "playwright-core";

/** The parts of the DOM that the functions below use, because Node's types have no DOM. */
interface PageElement {
  readonly tagName: string;
  readonly className: unknown;
  readonly parentElement: PageElement | null;
  readonly childNodes: Iterable<{ readonly nodeType: number; readonly textContent: string | null }>;
  readonly scrollWidth: number;
  readonly clientWidth: number;
  checkVisibility(): boolean;
  getClientRects(): { readonly length: number };
}

interface PageStyle {
  readonly color: string;
  readonly backgroundColor: string;
  readonly clipPath: string;
}

interface PageGlobals {
  readonly document: {
    readonly documentElement: PageElement;
    querySelector(selector: string): PageElement | null;
    querySelectorAll(selector: string): Iterable<PageElement>;
    createElement(name: "canvas"): {
      getContext(kind: "2d"): {
        fillStyle: string;
        fillRect(x: number, y: number, width: number, height: number): void;
        clearRect(x: number, y: number, width: number, height: number): void;
        getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray };
      };
    };
  };
  getComputedStyle(element: PageElement): PageStyle;
}

/** Returns how far the page can be scrolled horizontally, in pixels. */
export function measureOverflow(page: Page): Promise<number> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = (globalThis as unknown as PageGlobals).document.documentElement;
    return scrollWidth - clientWidth;
  });
}

const namedRoles: ReadonlySet<string> = new Set([
  ...["button", "textbox", "combobox", "radio", "link", "dialog", "heading", "list", "log", "group", "region"],
]);

/** Returns the roles of elements without an accessible name: controls, headings, lists and so on. */
export async function findNameless(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  await session.detach();
  const shown = nodes.filter(({ ignored, role }) => !ignored && namedRoles.has(role?.value));
  if (shown.length === 0) throw new Error("the page shows nothing to assistive technology");
  return shown.filter(({ name }) => (name?.value ?? "") === "").map(({ role, nodeId }) => `${role?.value} ${nodeId}`);
}

/** Returns the visible texts with less contrast to their background than `least` (WCAG 2.2, 1.4.3). If a dialog is open, only those in it. */
export function measureContrasts(page: Page, least: number): Promise<string[]> {
  return page.evaluate((wanted) => {
    const { document, getComputedStyle } = globalThis as unknown as PageGlobals;
    const canvas = document.createElement("canvas").getContext("2d");
    /** Red, green, blue and alpha, each up to 255. */
    const rgba = (color: string): readonly number[] => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const luminance = ([red = 0, green = 0, blue = 0]: readonly number[]): number => {
      const linear = (value: number) =>
        value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
      return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    };
    const behind = (start: PageElement): string => {
      for (let one: PageElement | null = start; one !== null; one = one.parentElement) {
        const { backgroundColor } = getComputedStyle(one);
        if (rgba(backgroundColor)[3] === 255) return backgroundColor;
      }
      return "white";
    };
    const isShown = (one: PageElement): boolean => {
      for (let at: PageElement | null = one; at !== null; at = at.parentElement) {
        if (getComputedStyle(at).clipPath !== "none") return false;
      }
      return one.checkVisibility() && one.getClientRects().length > 0;
    };
    const scope = document.querySelector("dialog[open]") === null ? "body *" : "dialog[open] *";
    const found: string[] = [];
    for (const one of document.querySelectorAll(scope)) {
      const text = [...one.childNodes]
        .filter(({ nodeType }) => nodeType === 3)
        .map(({ textContent }) => textContent)
        .join("")
        .trim();
      if (text === "" || !isShown(one)) continue;
      const [lighter = 0, darker = 0] = [getComputedStyle(one).color, behind(one)]
        .map((color) => luminance(rgba(color)))
        .sort((a, b) => b - a);
      const contrast = (lighter + 0.05) / (darker + 0.05);
      if (contrast < wanted)
        found.push(`${contrast.toFixed(2)}: ${JSON.stringify(text.slice(0, 40))} (${one.className})`);
    }
    return found;
  }, least);
}
