/** What administrators ask of consumer groups: list, describe, delete. */
import { errorCodes } from '../protocol/errorCodes';
import { Writer } from '../protocol/writer';
import type { Api } from './api';

export const listGroups: Api = {
  key: 16,
  name: 'ListGroups',
  minVersion: 1,
  maxVersion: 1,
  handle(_, { coordinator }) {
    return new Writer()
      .int32(0)
      .int16(errorCodes.NONE)
      .array(coordinator.list(), (writer, [group, protocolType]) =>
        writer.string(group).string(protocolType),
      );
  },
};

export const describeGroups: Api = {
  key: 15,
  name: 'DescribeGroups',
  minVersion: 1,
  maxVersion: 1,
  handle(request, { coordinator }) {
    const groups = request.array((reader) => reader.string());
    return new Writer().int32(0).array(groups, (writer, group) => {
      const { state, protocolType, protocol, members } = coordinator.describe(group);
      writer.int16(errorCodes.NONE).string(group).string(state).string(protocolType).string(protocol);
      writer.array(members, (nested, member) =>
        nested
          .string(member.id)
          .string(member.clientId)
          .string(member.clientHost)
          .bytes(member.metadata)
          .bytes(member.assignment),
      );
    });
  },
};

export const deleteGroups: Api = {
  key: 42,
  name: 'DeleteGroups',
  minVersion: 0,
  maxVersion: 1,
  handle(request, { coordinator }) {
    const groups = request.array((reader) => reader.string());
    return new Writer()
      .int32(0)
      .array(groups, (writer, group) => writer.string(group).int16(coordinator.delete(group)));
  },
};
