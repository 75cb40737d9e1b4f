import type { PathTemplate } from "./path-template.ts";
import type { RequestPath } from "./request-path.ts";

/** An entry of the tree: a template with an HTTP method, or "*" for all methods. */
export interface Route {
  readonly httpMethod: string;
  readonly template: PathTemplate;
  /** The method of the route, for error messages. */
  readonly owner: string;
}

/** A route that a request matches. */
export interface RouteMatch<R extends Route> {
  readonly route: R;
  /** Length of the verb with its colon, which the last segment of the path does not include. 0 for none. */
  readonly verbLength: number;
}

/** The path exists for other HTTP methods only. */
export interface MethodMismatch {
  readonly allowed: readonly string[];
}

/** Most nodes use one of these properties. The others stay undefined: less memory makes lookups among many routes faster. */
class Node<R extends Route> {
  literals: Map<string, Node<R>> | undefined = undefined;
  one: Node<R> | undefined = undefined;
  /** Nodes after `**`, by their number of segments, the longest first. */
  many: readonly { readonly tail: number; readonly node: Node<R> }[] | undefined = undefined;
  /** The routes that end at this node, for all HTTP methods and verbs. */
  ends: R[] | undefined = undefined;
}

/**
 * Finds the route of a request. In each segment literal text takes precedence over `*`, and `*` over `**`; the search backtracks if that finds no
 * route. The HTTP method is part of the match, so `GET /users/me` does not hide `POST /users/{id}`. The order of additions does not matter.
 *
 * A search visits each node at most once for each `**` before it, and a template has at most one `**`: the cost is bounded by the routes, not by
 * the request.
 */
export class RouteTree<R extends Route> {
  readonly #root = new Node<R>();
  readonly #verbs = new Set<string>();

  /** @throws TypeError if another route has the same shape and HTTP method */
  add(route: R): void {
    const { segments, verb } = route.template;
    let node = this.#root;
    segments.forEach((segment, at) => {
      if (segment.kind === "literal") node = afterText(node, segment.text);
      else if (segment.kind === "one") node = node.one ??= new Node<R>();
      else node = afterMany(node, segments.length - at - 1);
    });
    if (verb !== undefined) this.#verbs.add(verb);
    node.ends ??= [];
    const other = findEnd(node.ends, route.httpMethod, verb);
    if (other !== undefined) {
      throw new TypeError(
        `${route.owner} and ${other.owner} have the same route: ${route.httpMethod} ${route.template.source} ` +
          `and ${other.template.source}`,
      );
    }
    node.ends.push(route);
  }

  /** Undefined if no route has this path. */
  find(httpMethod: string, path: RequestPath): RouteMatch<R> | MethodMismatch | undefined {
    const { decoded } = path;
    const search: Search = { httpMethod, decoded, last: decoded.at(-1) ?? "", verb: undefined, allowed: undefined };
    const raw = path.raw.at(-1) ?? "";
    if (this.#verbs.size > 0 && raw.includes(":")) {
      // Tries the longest verb first. If none matches, the colon is part of the last segment; an escaped colon always is.
      for (let colon = raw.indexOf(":"); colon !== -1; colon = raw.indexOf(":", colon + 1)) {
        const verb = raw.slice(colon + 1);
        if (!this.#verbs.has(verb)) continue;
        const last = decodeURIComponent(raw.slice(0, colon));
        const withVerb: Search = { ...search, last, verb };
        const route = findFrom(this.#root, 0, withVerb);
        if (route !== undefined) return { route, verbLength: verb.length + 1 };
        search.allowed = withVerb.allowed;
      }
    }
    const route = findFrom(this.#root, 0, search);
    if (route !== undefined) return { route, verbLength: 0 };
    return search.allowed === undefined ? undefined : { allowed: [...search.allowed].sort() };
  }
}

interface Search {
  readonly httpMethod: string;
  /** The HTTP methods of the routes with this path; undefined for none. */
  allowed: Set<string> | undefined;
  readonly decoded: readonly string[];
  /** The last segment without the verb. */
  readonly last: string;
  readonly verb: string | undefined;
}

function findFrom<R extends Route>(node: Node<R>, at: number, search: Search): R | undefined {
  const { decoded } = search;
  if (at === decoded.length) {
    const found = routeOf(node, search);
    if (found !== undefined) return found;
  } else {
    const segment = at === decoded.length - 1 ? search.last : (decoded[at] as string);
    const literal = node.literals?.get(segment);
    const byText = literal === undefined ? undefined : findFrom(literal, at + 1, search);
    if (byText !== undefined) return byText;
    const byOne = node.one === undefined || segment === "" ? undefined : findFrom(node.one, at + 1, search);
    if (byOne !== undefined) return byOne;
  }
  return node.many === undefined ? undefined : findAfterMany(node.many, at, search);
}

function findAfterMany<R extends Route>(many: NonNullable<Node<R>["many"]>, at: number, search: Search): R | undefined {
  const { length } = search.decoded;
  for (const { tail, node } of many) {
    const found = length - tail < at ? undefined : findFrom(node, length - tail, search);
    if (found !== undefined) return found;
  }
  return undefined;
}

function routeOf<R extends Route>({ ends }: Node<R>, search: Search): R | undefined {
  if (ends === undefined) return undefined;
  const { httpMethod, verb } = search;
  const route = findEnd(ends, httpMethod, verb) ?? findEnd(ends, "*", verb);
  if (route !== undefined) return route;
  for (const end of ends) {
    if (end.template.verb !== verb) continue;
    search.allowed ??= new Set();
    search.allowed.add(end.httpMethod);
  }
  return undefined;
}

function findEnd<R extends Route>(ends: readonly R[], httpMethod: string, verb: string | undefined): R | undefined {
  for (const route of ends) if (route.httpMethod === httpMethod && route.template.verb === verb) return route;
  return undefined;
}

function afterText<R extends Route>(node: Node<R>, text: string): Node<R> {
  node.literals ??= new Map();
  let after = node.literals.get(text);
  if (after === undefined) {
    after = new Node<R>();
    node.literals.set(text, after);
  }
  return after;
}

function afterMany<R extends Route>(node: Node<R>, tail: number): Node<R> {
  const many = node.many ?? [];
  const found = many.find((one) => one.tail === tail);
  if (found !== undefined) return found.node;
  const added = { tail, node: new Node<R>() };
  node.many = [...many, added].sort((a, b) => b.tail - a.tail);
  return added.node;
}
