/** What the members of a consumer group send: join, sync, heartbeat, leave. */
import { Writer } from '../protocol/writer';
import type { Api } from './api';

export const joinGroup: Api = {
  key: 11,
  name: 'JoinGroup',
  minVersion: 2,
  maxVersion: 2,
  async handle(request, { coordinator, clientId, clientHost, gone }) {
    const answer = await coordinator.join(
      request.string(),
      {
        sessionTimeoutMs: request.int32(),
        rebalanceTimeoutMs: request.int32(),
        memberId: request.string(),
        protocolType: request.string(),
        // A copy: the member outlives the request, whose buffer would stay in memory as a whole.
        protocols: request.array((protocol) => ({
          name: protocol.string(),
          metadata: Buffer.from(protocol.bytes()),
        })),
        clientId,
        clientHost,
      },
      gone,
    );
    return new Writer()
      .int32(0)
      .int16(answer.error)
      .int32(answer.generation)
      .string(answer.protocol)
      .string(answer.leader)
      .string(answer.memberId)
      .array(answer.members, (writer, { id, metadata }) => writer.string(id).bytes(metadata));
  },
};

export const syncGroup: Api = {
  key: 14,
  name: 'SyncGroup',
  minVersion: 1,
  maxVersion: 1,
  async handle(request, { coordinator }) {
    const group = request.string();
    const generation = request.int32();
    const memberId = request.string();
    const assignments = request.array((item) => ({ memberId: item.string(), assignment: item.bytes() }));
    const { error, assignment } = await coordinator.sync(group, memberId, generation, assignments);
    return new Writer().int32(0).int16(error).bytes(assignment);
  },
};

export const heartbeat: Api = {
  key: 12,
  name: 'Heartbeat',
  minVersion: 1,
  maxVersion: 1,
  handle(request, { coordinator }) {
    const group = request.string();
    const generation = request.int32();
    return new Writer().int32(0).int16(coordinator.heartbeat(group, request.string(), generation));
  },
};

export const leaveGroup: Api = {
  key: 13,
  name: 'LeaveGroup',
  minVersion: 1,
  maxVersion: 1,
  handle(request, { coordinator }) {
    return new Writer().int32(0).int16(coordinator.leave(request.string(), request.string()));
  },
};
