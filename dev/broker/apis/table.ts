import type { Api } from './api';
import { describeApiVersions } from './apiVersions';
import { createPartitions, deleteRecords, deleteTopics } from './changeTopics';
import { alterConfigs, describeConfigs } from './configs';
import { createTopics } from './createTopics';
import { fetch } from './fetch';
import { findCoordinator } from './findCoordinator';
import { deleteGroups, describeGroups, listGroups } from './groupAdmin';
import { offsetCommit, offsetFetch } from './groupOffsets';
import { initProducerId } from './initProducerId';
import { listOffsets } from './listOffsets';
import { heartbeat, joinGroup, leaveGroup, syncGroup } from './membership';
import { metadata } from './metadata';
import { produce } from './produce';

export const apiVersions = describeApiVersions(() => allApis);

/** Every request that this broker answers. */
export const allApis: readonly Api[] = [
  produce,
  fetch,
  listOffsets,
  metadata,
  offsetCommit,
  offsetFetch,
  findCoordinator,
  joinGroup,
  heartbeat,
  leaveGroup,
  syncGroup,
  describeGroups,
  listGroups,
  apiVersions,
  createTopics,
  deleteTopics,
  deleteRecords,
  initProducerId,
  describeConfigs,
  alterConfigs,
  createPartitions,
  deleteGroups,
];

export const apisByKey: ReadonlyMap<number, Api> = new Map(allApis.map((api) => [api.key, api]));
