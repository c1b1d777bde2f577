import { type ErrorCode, errorCodes } from '../protocol/errorCodes';

/**
 * Empty: no members, perhaps committed offsets.
 * PreparingRebalance: the members are asked (by the answers to their heartbeats) to join again; joins wait.
 * CompletingRebalance: all have joined; the leader is working out who gets what; syncs wait.
 * Stable: everybody has been told.
 */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable';

interface StateRules {
  /** The states that may follow. */
  readonly next: readonly GroupState[];
  /** What a member of the present generation is answered. */
  readonly heartbeat: ErrorCode;
  readonly commit: ErrorCode;
  readonly sync: 'refuse' | 'wait' | 'assignment';
}

const { NONE, REBALANCE_IN_PROGRESS, UNKNOWN_MEMBER_ID } = errorCodes;

/** The life of a group. A commit is still taken while members are called to join: they finish what they began. */
export const stateRules: Readonly<Record<GroupState, StateRules>> = {
  Empty: {
    next: ['PreparingRebalance'],
    heartbeat: UNKNOWN_MEMBER_ID,
    commit: NONE,
    sync: 'refuse',
  },
  PreparingRebalance: {
    next: ['CompletingRebalance', 'Empty'],
    heartbeat: REBALANCE_IN_PROGRESS,
    commit: NONE,
    sync: 'refuse',
  },
  CompletingRebalance: {
    next: ['Stable', 'PreparingRebalance'],
    heartbeat: NONE,
    commit: REBALANCE_IN_PROGRESS,
    sync: 'wait',
  },
  Stable: {
    next: ['PreparingRebalance'],
    heartbeat: NONE,
    commit: NONE,
    sync: 'assignment',
  },
};
