/** One thing that is wrong with a request. */
export interface FieldProblem {
  /** The field of the body, the query parameter, the path parameter or the header. */
  readonly field: string;
  /** Where it is in the body, as a JSON pointer in a URI fragment; absent for anything outside the body. */
  readonly pointer?: string;
  readonly message: string;
}

/** An RFC 9457 problem document, before the request's correlation id is added, and the headers that go with it. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly errors?: readonly FieldProblem[];
  readonly headers?: Readonly<Record<string, string>>;
}

export const problemMediaType = 'application/problem+json';

/** The `type` of a problem: a name to switch on, not an address to fetch. */
export function problemType(name: string): string {
  return `urn:healthcore:problem:${name}`;
}

/** A problem of HTTP itself (an unknown route, a wrong method, a body that is not JSON), thrown by the HTTP layer. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';

  constructor(readonly problem: Problem) {
    super(problem.title);
  }
}
