import { parse, type ParsedUrlQuery } from 'node:querystring';

/**
 * Parses a query string, all of it: Node stops after a thousand parameters by default, and a filter that is dropped
 * without a word shows more than was asked for. The length of an address is limited by the server.
 */
export function parseQueryString(text: string): ParsedUrlQuery {
  return parse(text, '&', '=', { maxKeys: 0 });
}
