import type { DeclaredSetting, DeclaredTopic } from './declaredTopics';
import type { TopicPresence } from './topicPresence';
import type { SettingState, TopicState } from './topicStates';

/** Where a topic is not what it is declared to be. */
export type TopicDifference =
  | { readonly kind: 'missing' | 'hidden' }
  | { readonly kind: 'setting'; readonly name: string; readonly is: string; readonly declared: string }
  | { readonly kind: 'partitions' | 'replication'; readonly is: number; readonly declared: number };

/** Compares a topic with its declaration; `state` is undefined where the cluster does not show it. */
export function topicDifferences(
  declared: DeclaredTopic,
  state: TopicState | undefined,
  presence?: TopicPresence,
): TopicDifference[] {
  if (!state) return [{ kind: presence === 'hidden' ? 'hidden' : 'missing' }];
  const partitions = state.partitions.length;
  const replicas = Math.min(...state.partitions.map(({ replicas }) => replicas.length));
  return [
    ...(partitions === declared.partitions
      ? []
      : [{ kind: 'partitions' as const, is: partitions, declared: declared.partitions }]),
    ...(replicas === declared.replicationFactor
      ? []
      : [{ kind: 'replication' as const, is: replicas, declared: declared.replicationFactor }]),
    ...declared.settings.flatMap((setting) => settingDifference(setting, state.settings.get(setting.name))),
  ];
}

function settingDifference(
  { name, value, atLeast }: DeclaredSetting,
  state: SettingState | undefined,
): TopicDifference[] {
  const is = state?.value ?? '(unknown)';
  const fits = is === value || (atLeast === true && Number(is) >= Number(value));
  return fits ? [] : [{ kind: 'setting', name, is, declared: value }];
}

/** One line for people: `retention.ms is 604800000, declared 86400000`. */
export function describeDifference(difference: TopicDifference): string {
  switch (difference.kind) {
    case 'missing':
      return 'is missing';
    case 'hidden':
      return 'cannot be seen by this account, which lacks the right Describe on it';
    case 'setting':
      return `${difference.name} is ${difference.is}, declared ${difference.declared}`;
    case 'partitions':
      return `has ${difference.is} partitions, declared ${difference.declared}`;
    case 'replication':
      return `has ${difference.is} replicas, declared ${difference.declared}`;
  }
}

/**
 * Why bringing a topic in line would let messages go that it keeps today; undefined where it would not. A retention
 * below zero is for ever.
 */
export function lossOf(difference: TopicDifference): string | undefined {
  if (difference.kind !== 'setting') return undefined;
  const { name, is, declared } = difference;
  if (name === 'retention.ms' || name === 'retention.bytes') {
    return endOf(declared) < endOf(is) ? 'messages are kept for less long' : undefined;
  }
  if (name === 'cleanup.policy') {
    return policiesOf(declared).has('delete') && !policiesOf(is).has('delete')
      ? 'messages are deleted that were kept for their key'
      : undefined;
  }
  return undefined;
}

function endOf(retention: string): number {
  const value = Number(retention);
  return value < 0 || Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
}

const policiesOf = (list: string): Set<string> => new Set(list.split(',').map((policy) => policy.trim()));
