import type { BrokerContext } from '../apis/api';
import { refuseVersion } from '../apis/apiVersions';
import { allApis, apisByKey, apiVersions } from '../apis/table';
import { MalformedRequestError, Reader } from '../protocol/reader';
import { Writer } from '../protocol/writer';

export interface Caller {
  readonly host: string;
  readonly gone: AbortSignal;
}

/**
 * Answers one request. Returns the whole response frame, or nothing where none is expected.
 * @throws whatever makes the request impossible to answer: the connection must then be closed.
 */
export async function dispatch(
  frame: Buffer,
  context: BrokerContext,
  caller: Caller,
): Promise<Buffer[] | undefined> {
  const request = new Reader(frame);
  const key = request.int16();
  const version = request.int16();
  const correlationId = request.int32();
  const clientId = request.nullableString() ?? '';
  const api = apisByKey.get(key);
  if (api === undefined || version < api.minVersion || version > api.maxVersion) {
    if (api === apiVersions) return frameOf(correlationId, refuseVersion(allApis));
    throw new MalformedRequestError(`version ${version} of request ${api?.name ?? key} is not supported`);
  }
  const answer = await api.handle(request, {
    ...context,
    version,
    clientId,
    clientHost: caller.host,
    gone: caller.gone,
  });
  return answer === undefined ? undefined : frameOf(correlationId, answer);
}

function frameOf(correlationId: number, answer: Writer): Buffer[] {
  const head = new Writer().int32(4 + answer.size).int32(correlationId);
  return [...head.chunks(), ...answer.chunks()];
}
