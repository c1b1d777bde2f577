import { type ErrorCode, errorCodes } from '../protocol/errorCodes';
import { Writer } from '../protocol/writer';
import type { Api } from './api';

type Supported = Pick<Api, 'key' | 'minVersion' | 'maxVersion'>;

/** The first request of every connection: which requests there are, and in which versions. */
export function describeApiVersions(supported: () => readonly Supported[]): Api {
  return {
    key: 18,
    name: 'ApiVersions',
    minVersion: 0,
    maxVersion: 2,
    handle(_, { version }) {
      const answer = listVersions(errorCodes.NONE, supported());
      return version === 0 ? answer : answer.int32(0);
    },
  };
}

/** A client that asks in a newer version gets this, in the oldest one, and asks again in one that it lists. */
export function refuseVersion(supported: readonly Supported[]): Writer {
  return listVersions(errorCodes.UNSUPPORTED_VERSION, supported);
}

function listVersions(error: ErrorCode, supported: readonly Supported[]): Writer {
  return new Writer()
    .int16(error)
    .array(supported, (writer, { key, minVersion, maxVersion }) =>
      writer.int16(key).int16(minVersion).int16(maxVersion),
    );
}
