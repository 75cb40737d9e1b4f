import { required, showText } from "./dom.ts";
import type { LiveState } from "./follow-users.ts";

/** The status bar, which shows whether the page is up to date. */
export class Status {
  readonly #place = required("status", HTMLElement);
  readonly #text = required("status-text", HTMLElement);
  readonly #banner = required("banner", HTMLElement);
  #countdown: ReturnType<typeof setInterval> | undefined = undefined;

  /** @param hasUsers Whether the page shows users, which may be out of date */
  show(state: LiveState, hasUsers: boolean): void {
    clearInterval(this.#countdown);
    this.#place.hidden = false;
    this.#place.dataset.state = state.kind;
    switch (state.kind) {
      case "connecting":
        this.#text.textContent = "Connecting…";
        break;
      case "live":
        this.#text.textContent = "Live";
        showText(this.#banner, undefined);
        break;
      case "offline":
        this.#text.textContent = "Offline";
        this.#warn(hasUsers, "You are offline. What you see may be out of date; it is caught up once you are back.");
        break;
      case "stopped":
        this.#text.textContent = "Stopped";
        break;
      case "waiting":
        this.#countDown(performance.now() + state.delayMs);
        this.#warn(
          hasUsers,
          "The server cannot be reached. What you see may be out of date; it is caught up as soon as the server is back.",
        );
        break;
    }
  }

  hide(): void {
    clearInterval(this.#countdown);
    this.#place.hidden = true;
    showText(this.#banner, undefined);
  }

  #warn(hasUsers: boolean, text: string): void {
    showText(this.#banner, hasUsers ? text : undefined);
  }

  #countDown(untilMs: number): void {
    const show = (): void => {
      const seconds = Math.max(0, Math.ceil((untilMs - performance.now()) / 1000));
      this.#text.textContent = seconds === 0 ? "Reconnecting…" : `Reconnecting in ${seconds} s`;
      if (seconds === 0) clearInterval(this.#countdown);
    };
    this.#countdown = setInterval(show, 1000);
    show();
  }
}
