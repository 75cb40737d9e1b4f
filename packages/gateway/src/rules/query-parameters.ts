import { quote, requestProblem } from "./request-problem.ts";

/** Parameters of a query string: name, value, name, value, … */
export type QueryParameters = readonly string[];

const maxParameters = 200;

/**
 * Parses a query string: decodes "+" as a space and percent-encoding, and skips empty pairs.
 *
 * @throws ConnectError InvalidArgument for an invalid escape, bytes that are not UTF-8, and more than 200 parameters
 */
export function parseQuery(query: string): QueryParameters {
  if (query === "") return [];
  const parameters: string[] = [];
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    if (parameters.length >= 2 * maxParameters) {
      throw requestProblem(
        "INVALID_QUERY",
        [],
        `the query has more than ${maxParameters} parameters; send a body instead`,
      );
    }
    const equals = pair.indexOf("=");
    const name = equals === -1 ? pair : pair.slice(0, equals);
    parameters.push(decode(name), equals === -1 ? "" : decode(pair.slice(equals + 1)));
  }
  return parameters;
}

function decode(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    throw requestProblem("INVALID_QUERY", [], `the query has an invalid escape in ${quote(text)}`);
  }
}
