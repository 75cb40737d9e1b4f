import { matchError } from "@tercel/gateway/browser";

/** The problems that a form shows after a failed call. */
export interface Problems {
  /** By field of the request: `user.email`. */
  readonly fields: ReadonlyMap<string, string>;
  /** Problems without a field. */
  readonly text: string | undefined;
  /** Whether the token is the problem. */
  readonly isSignedOut: boolean;
}

const ofText = (text: string): Problems => ({ fields: new Map(), text, isSignedOut: false });
const ofField = (field: string, text: string): Problems => ({
  fields: new Map([[field, text]]),
  text: undefined,
  isSignedOut: false,
});

const unreachable = "The server cannot be reached. Try again in a moment.";

/** Converts the error of a call, by its reason, its code and its fields. */
export function toProblems(error: unknown): Problems {
  return matchError<Problems>(error, {
    EMAIL_TAKEN: () => ofField("user.email", "Another user has this address."),
    ID_TAKEN: () => ofField("user.user_id", "Another user has this id."),
    InvalidArgument({ fields, message }) {
      if (fields.length === 0) return ofText(message);
      const byField = new Map<string, string>();
      for (const { field, description } of fields) {
        const before = byField.get(field);
        byField.set(field, before === undefined ? capitalized(description) : `${before}; ${description}`);
      }
      return { fields: byField, text: undefined, isSignedOut: false };
    },
    Unauthenticated: ({ reason }) => ({
      fields: new Map(),
      text:
        reason === "TOKEN_EXPIRED" ? "The token has expired. Sign in again." : "The token is not valid. Sign in again.",
      isSignedOut: true,
    }),
    PermissionDenied: ({ message }) => ofText(`This token may not do that: ${message}.`),
    NotFound: () => ofText("This user is gone: someone has deleted it."),
    ResourceExhausted: ({ retryAfterMs = 1000 }) =>
      ofText(`The server is busy. Try again in ${Math.ceil(retryAfterMs / 1000)} s.`),
    DeadlineExceeded: () => ofText("The server did not answer in time. Try again."),
    Unavailable: () => ofText(unreachable),
    // Errors of fetch have no code.
    Unknown: () => ofText(unreachable),
    otherwise: ({ message }) => ofText(capitalized(message)),
  });
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
