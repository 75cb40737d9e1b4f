import { usageFailure } from "../../frame/failure.ts";
import { suggest, withSuggestion } from "../../frame/suggestion.ts";
import { describeInvalidName, maxNameLength } from "./project-name.ts";

/** All names in a project, derived from the name of its service. The comments show those of `order-item-service`. */
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
  /** The field with unique values. */
  readonly unique: "email" | "name";
}

/** Endings of service names that are not part of the noun. */
const serviceEndings = ["api", "server", "service", "svc"] as const;

/** Endings of library names that are not part of the noun. */
export const libraryEndings = [...serviceEndings, "client", "contract", "lib", "library", "sdk"] as const;

/** Names that are reserved by the generated code, SQL or protobuf. */
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
 * @param endings words to remove at the end
 * @throws CommandFailure with the nearest valid name
 */
export function serviceNames(service: string, endings: readonly string[] = serviceEndings): ServiceNames {
  const problem = describeInvalidName(service);
  if (problem !== undefined) throw usageFailure(withSuggestion(problem, suggest(validName(service))));
  const words = nounOf(service, endings);
  const [last = ""] = words.slice(-1);
  const plural = [...words.slice(0, -1), pluralOf(last)];
  const snake = words.join("_");
  if (takenNames.has(snake)) {
    throw usageFailure(
      `invalid name ${JSON.stringify(service)}: ${JSON.stringify(snake)} is a reserved word`,
      `choose a longer name, such as my-${service}`,
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

/** Returns a valid name from what was given: `user-service` for `User Service`; undefined if nothing is left. */
function validName(text: string): string | undefined {
  const words = text
    .normalize("NFKD")
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => /^[a-z]/.test(word));
  while (words.join("-").length > maxNameLength) words.pop();
  return words.length === 0 ? undefined : words.join("-");
}

/** Returns the words of the noun in a service name: `user` for `users-service`. */
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
