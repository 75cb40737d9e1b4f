import { usageFailure } from "../../frame/failure.ts";

/** Every name in a project, made of the name of its service. The comments show those of `order-item-service`. */
export interface ServiceNames {
  /** `order-item-service`: of the package, the folder, and in discovery. */
  readonly service: string;
  /** `order_item`: of the proto package, its folder and its file. */
  readonly snake: string;
  /** `orderItem` */
  readonly camel: string;
  /** `OrderItem`: of the message. */
  readonly pascal: string;
  /** `order item`, in comments. */
  readonly words: string;
  /** `an order item` */
  readonly one: string;
  /** `order_items`: of the table. */
  readonly pluralSnake: string;
  /** `orderItems` */
  readonly pluralCamel: string;
  /** `OrderItems` */
  readonly pluralPascal: string;
  /** `order items` */
  readonly pluralWords: string;
  /** `order-items`: of the file with the handlers. */
  readonly pluralKebab: string;
  /** The field next to `name`: users have an `email`, everything else a `description`. */
  readonly second: "email" | "description";
  /** The field that no two have the same value of. */
  readonly unique: "email" | "name";
}

/** What a DNS label can hold: discovery and Kubernetes know services by their names. */
const maxNameLength = 63;

/** What the name of a service ends with, and not the noun. */
const serviceEndings = ["api", "server", "service", "svc"] as const;

/** The same of a library. */
export const libraryEndings = [...serviceEndings, "client", "contract", "lib", "library", "sdk"] as const;

/** Words that the code, SQL or protobuf have a meaning for already. */
const takenNames = new Set(
  (
    "absent access any assert bool buffer bytes cache case catch change changed class client code config connect_error const create database " +
    "date db default define definition delete double enum error event export extend fail false find first fixed32 fixed64 float found function " +
    "group health id import in index int32 int64 interceptor interface jwt limit list log map message metric name new null number object " +
    "oneof option optional package page pause promise public range reader record reference repeated request required reserved response " +
    "result return row rpc run secret select sent service service_impl set setting sfixed32 sfixed64 signal sint32 sint64 size sql " +
    "start store stranger stream string symbol syntax table test test_context this timestamp token transaction true type uint32 uint64 " +
    "undefined unique_violation update value var void watched weak window"
  ).split(" "),
);

/**
 * Derives the names of a project.
 *
 * @param endings words that are left out at the end
 * @throws CommandFailure with the nearest name that would do
 */
export function serviceNames(service: string, endings: readonly string[] = serviceEndings): ServiceNames {
  const isName = service.split("-").every((word) => /^[a-z][a-z0-9]*$/.test(word));
  if (!isName || service.length > maxNameLength) {
    const suggestion = suggestName(service);
    throw usageFailure(
      `invalid name ${JSON.stringify(service)}: write lower-case words with dashes between, ${maxNameLength} characters at most` +
        `${suggestion === undefined ? "" : `; did you mean ${suggestion}?`}`,
    );
  }
  const words = nounOf(service, endings);
  const [last = ""] = words.slice(-1);
  const plural = [...words.slice(0, -1), pluralOf(last)];
  const snake = words.join("_");
  if (takenNames.has(snake)) {
    throw usageFailure(
      `invalid name ${JSON.stringify(service)}: ${JSON.stringify(snake)} has a meaning in the code already`,
      `say more: tercel new my-${service}`,
    );
  }
  const isUser = snake === "user";
  return {
    service,
    snake,
    camel: camelCase(words),
    pascal: pascalCase(words),
    words: words.join(" "),
    one: `${/^[aeio]/.test(snake) ? "an" : "a"} ${words.join(" ")}`,
    pluralSnake: plural.join("_"),
    pluralCamel: camelCase(plural),
    pluralPascal: pascalCase(plural),
    pluralWords: plural.join(" "),
    pluralKebab: plural.join("-"),
    second: isUser ? "email" : "description",
    unique: isUser ? "email" : "name",
  };
}

/** `User Service` becomes `user-service`; undefined where nothing is left. */
function suggestName(text: string): string | undefined {
  const words = text
    .normalize("NFKD")
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => /^[a-z]/.test(word));
  while (words.join("-").length > maxNameLength) words.pop();
  return words.length === 0 ? undefined : words.join("-");
}

/** What a service keeps: `users-service` keeps the words of `user`. */
function nounOf(service: string, endings: readonly string[]): string[] {
  const words = service.split("-");
  const [last = ""] = words.slice(-1);
  if (words.length > 1 && endings.includes(last)) words.pop();
  const noun = words.pop() ?? "";
  return [...words, singularOf(noun)];
}

function singularOf(word: string): string {
  if (/[^aeiou]ies$/.test(word) && word.length > 4) return word.replace(/ies$/, "y");
  if (/(?:x|ch|sh|ss)es$/.test(word)) return word.replace(/es$/, "");
  return /[^isu]s$/.test(word) && word.length > 3 ? word.slice(0, -1) : word;
}

function pluralOf(word: string): string {
  if (/[^aeiou]y$/.test(word)) return word.replace(/y$/, "ies");
  return /(?:s|x|z|ch|sh)$/.test(word) ? `${word}es` : `${word}s`;
}

function pascalCase(words: readonly string[]): string {
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

function camelCase([first = "", ...rest]: readonly string[]): string {
  return first + pascalCase(rest);
}
