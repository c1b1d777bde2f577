import { errorCodes, ProtocolError } from '../protocol/errorCodes';

type Rule = (value: string) => boolean;

const wholeNumber =
  (least: number): Rule =>
  (value) =>
    /^-?\d{1,19}$/.test(value) && Number(value) >= least;
const oneOf =
  (...values: string[]): Rule =>
  (value) =>
    values.includes(value);
const flag = oneOf('true', 'false');
const cleanup: Rule = (value) =>
  value.split(',').every((part) => ['delete', 'compact'].includes(part.trim()));

/**
 * The topic settings that can be set and described, with Apache Kafka's defaults. Only `max.message.bytes` has an
 * effect: nothing expires, is compacted or replicated here.
 */
const settings: Readonly<Record<string, { readonly preset: string; readonly rule: Rule }>> = {
  'cleanup.policy': { preset: 'delete', rule: cleanup },
  'compression.type': {
    preset: 'producer',
    rule: oneOf('producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'),
  },
  'delete.retention.ms': { preset: '86400000', rule: wholeNumber(0) },
  'file.delete.delay.ms': { preset: '60000', rule: wholeNumber(0) },
  'flush.messages': { preset: '9223372036854775807', rule: wholeNumber(1) },
  'flush.ms': { preset: '9223372036854775807', rule: wholeNumber(0) },
  'index.interval.bytes': { preset: '4096', rule: wholeNumber(0) },
  'max.compaction.lag.ms': { preset: '9223372036854775807', rule: wholeNumber(1) },
  'max.message.bytes': { preset: '1048588', rule: wholeNumber(0) },
  'message.timestamp.type': { preset: 'CreateTime', rule: oneOf('CreateTime') },
  'min.cleanable.dirty.ratio': { preset: '0.5', rule: (value) => Number(value) >= 0 && Number(value) <= 1 },
  'min.compaction.lag.ms': { preset: '0', rule: wholeNumber(0) },
  'min.insync.replicas': { preset: '1', rule: wholeNumber(1) },
  'retention.bytes': { preset: '-1', rule: wholeNumber(-1) },
  'retention.ms': { preset: '604800000', rule: wholeNumber(-1) },
  'segment.bytes': { preset: '1073741824', rule: wholeNumber(14) },
  'segment.ms': { preset: '604800000', rule: wholeNumber(1) },
  'unclean.leader.election.enable': { preset: 'false', rule: flag },
};

export type TopicConfigs = Readonly<Record<string, string>>;

/** @throws ProtocolError that names the first setting that is unknown or has an impossible value. */
export function checkConfigs(configs: Readonly<Record<string, string | null>>): TopicConfigs {
  for (const [name, value] of Object.entries(configs)) {
    const setting = Object.hasOwn(settings, name) ? settings[name] : undefined;
    if (setting === undefined) {
      throw new ProtocolError(errorCodes.INVALID_CONFIG, `Unknown topic config name: ${name}`);
    }
    if (value === null || !setting.rule(value)) {
      throw new ProtocolError(errorCodes.INVALID_CONFIG, `Invalid value ${value} for configuration ${name}`);
    }
  }
  return configs as TopicConfigs;
}

export interface DescribedConfig {
  readonly name: string;
  readonly value: string;
  readonly preset: string;
  readonly isPreset: boolean;
}

export function describeTopicConfigs(configs: TopicConfigs): DescribedConfig[] {
  return Object.entries(settings).map(([name, { preset }]) => ({
    name,
    value: configs[name] ?? preset,
    preset,
    isPreset: configs[name] === undefined,
  }));
}

/** The largest record batch that a topic takes, in bytes. */
export function maxMessageBytes(configs: TopicConfigs): number {
  return Number(configs['max.message.bytes'] ?? 1_048_588);
}
