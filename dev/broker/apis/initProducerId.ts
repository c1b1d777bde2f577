import { errorCodes } from '../protocol/errorCodes';
import { Writer } from '../protocol/writer';
import type { Api } from './api';

/** Gives an idempotent producer its id. Transactional ones are refused. */
export const initProducerId: Api = {
  key: 22,
  name: 'InitProducerId',
  minVersion: 0,
  maxVersion: 1,
  handle(request, { store }) {
    const transactionalId = request.nullableString();
    const answer = new Writer().int32(0);
    if (transactionalId !== null) return answer.int16(errorCodes.INVALID_REQUEST).int64(-1).int16(-1);
    return answer.int16(errorCodes.NONE).int64(store.identity.newProducerId()).int16(0);
  },
};
