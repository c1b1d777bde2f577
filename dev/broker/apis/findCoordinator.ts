import { type ErrorCode, errorCodes } from '../protocol/errorCodes';
import { Writer } from '../protocol/writer';
import { type Api, nodeId } from './api';

const groupKey = 0;

/**
 * This broker coordinates all groups. There is no coordinator for transactions.
 * Version 0 is there for librdkafka, which takes its lack for a lack of groups.
 */
export const findCoordinator: Api = {
  key: 10,
  name: 'FindCoordinator',
  minVersion: 0,
  maxVersion: 1,
  handle(request, { address, version, refusals }) {
    const key = request.string();
    if (version === 0) return writeAddress(new Writer().int16(errorCodes.NONE), address);
    const answer = new Writer().int32(0);
    if (request.int8() !== groupKey) {
      return refuse(answer, errorCodes.INVALID_REQUEST, 'This development broker has no transactions.');
    }
    const refused = refusals('Join', key);
    if (refused) return refuse(answer, errorCodes[refused], 'Refused by a test.');
    return writeAddress(answer.int16(errorCodes.NONE).string(null), address);
  },
};

function refuse(answer: Writer, error: ErrorCode, message: string): Writer {
  return answer.int16(error).string(message).int32(-1).string('').int32(-1);
}

function writeAddress(writer: Writer, { host, port }: { host: string; port: number }): Writer {
  return writer.int32(nodeId).string(host).int32(port);
}
