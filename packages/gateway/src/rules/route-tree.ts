import type { PathTemplate } from "./path-template.ts";
import type { RequestPath } from "./request-path.ts";

/** What a tree is made of: a template for an HTTP method, or for all with "*". */
export interface Route {
  readonly httpMethod: string;
  readonly template: PathTemplate;
  /** For errors: whose route it is. */
  readonly owner: string;
}

/** A route that a request matches. */
export interface RouteMatch<R extends Route> {
  readonly route: R;
  /** The last segment is shorter than in the request's path by the verb and its colon. */
  readonly verbLength: number;
}

/** The path exists, for other HTTP methods only. */
export interface MethodMismatch {
  readonly allowed: readonly string[];
}

type Routes<R> = Map<string, R>;

class Node<R extends Route> {
  readonly literals = new Map<string, Node<R>>();
  one: Node<R> | undefined = undefined;
  /** What follows `**`, by its number of segments, the longest first. */
  many: { readonly tail: number; readonly node: Node<R> }[] = [];
  /** By verb, "" for none. */
  readonly byVerb = new Map<string, Routes<R>>();
}

/**
 * Finds the route of a request. Segment by segment text goes before `*`, and `*` before `**`; where that leads nowhere, the next is
 * tried. The HTTP method is part of the match, so `GET /users/me` does not hide `POST /users/{id}`. The order in which routes were added
 * means nothing.
 *
 * A search visits a node once at most for each `**` before it, and there is one `**` in a template: it is bounded by the routes, not by the request.
 */
export class RouteTree<R extends Route> {
  readonly #root = new Node<R>();
  readonly #verbs = new Set<string>();

  /** @throws TypeError when another route has the same shape and HTTP method */
  add(route: R): void {
    const { segments, verb } = route.template;
    let node = this.#root;
    segments.forEach((segment, at) => {
      if (segment.kind === "literal") node = getOrSet(node.literals, segment.text, () => new Node<R>());
      else if (segment.kind === "one") node = node.one ??= new Node<R>();
      else node = afterMany(node, segments.length - at - 1);
    });
    if (verb !== undefined) this.#verbs.add(verb);
    const routes = getOrSet(node.byVerb, verb ?? "", () => new Map<string, R>());
    const other = routes.get(route.httpMethod);
    if (other !== undefined) {
      throw new TypeError(
        `${route.owner} and ${other.owner} have the same route: ${route.httpMethod} ${route.template.source} ` +
          `and ${other.template.source}`,
      );
    }
    routes.set(route.httpMethod, route);
  }

  /** Undefined: no route has this path. */
  find(httpMethod: string, path: RequestPath): RouteMatch<R> | MethodMismatch | undefined {
    const allowed = new Set<string>();
    const search = { httpMethod, allowed, decoded: path.decoded, last: "", verb: "" };
    const raw = path.raw.at(-1) ?? "";
    if (this.#verbs.size > 0) {
      // The longest verb first. Where none leads to a match, the colon is part of the last segment; an escaped one always is.
      for (let colon = raw.indexOf(":"); colon !== -1; colon = raw.indexOf(":", colon + 1)) {
        const verb = raw.slice(colon + 1);
        if (!this.#verbs.has(verb)) continue;
        const last = decodeURIComponent(raw.slice(0, colon));
        const route = findFrom(this.#root, 0, { ...search, last, verb });
        if (route !== undefined) return { route, verbLength: verb.length + 1 };
      }
    }
    const route = findFrom(this.#root, 0, { ...search, last: path.decoded.at(-1) ?? "" });
    if (route !== undefined) return { route, verbLength: 0 };
    return allowed.size === 0 ? undefined : { allowed: [...allowed].sort() };
  }
}

interface Search {
  readonly httpMethod: string;
  /** The HTTP methods of routes that have the path. */
  readonly allowed: Set<string>;
  readonly decoded: readonly string[];
  /** The last segment without the verb. */
  readonly last: string;
  readonly verb: string;
}

function findFrom<R extends Route>(node: Node<R>, at: number, search: Search): R | undefined {
  const { decoded } = search;
  if (at === decoded.length) {
    const found = routeOf(node, search);
    if (found !== undefined) return found;
  } else {
    const segment = at === decoded.length - 1 ? search.last : (decoded[at] as string);
    const literal = node.literals.get(segment);
    const byText = literal === undefined ? undefined : findFrom(literal, at + 1, search);
    if (byText !== undefined) return byText;
    const byOne = node.one === undefined || segment === "" ? undefined : findFrom(node.one, at + 1, search);
    if (byOne !== undefined) return byOne;
  }
  for (const { tail, node: after } of node.many) {
    if (decoded.length - tail < at) continue;
    const byMany = findFrom(after, decoded.length - tail, search);
    if (byMany !== undefined) return byMany;
  }
  return undefined;
}

function routeOf<R extends Route>(node: Node<R>, search: Search): R | undefined {
  const routes = node.byVerb.get(search.verb);
  if (routes === undefined) return undefined;
  const route = routes.get(search.httpMethod) ?? routes.get("*");
  if (route === undefined) for (const method of routes.keys()) search.allowed.add(method);
  return route;
}

function afterMany<R extends Route>(node: Node<R>, tail: number): Node<R> {
  const found = node.many.find((one) => one.tail === tail);
  if (found !== undefined) return found.node;
  const added = { tail, node: new Node<R>() };
  node.many = [...node.many, added].sort((a, b) => b.tail - a.tail);
  return added.node;
}

function getOrSet<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
