/** Settings: DescribeConfigs and AlterConfigs. Topics have some that can be changed, the broker a few to look at. */
import { errorCodes, outcomeOf, ProtocolError } from '../protocol/errorCodes';
import type { Reader } from '../protocol/reader';
import { Writer } from '../protocol/writer';
import { type DescribedConfig, describeTopicConfigs } from '../storage/topicConfig';
import { type Api, type BrokerContext, nodeId } from './api';
import { readConfigs } from './createTopics';

const topicType = 2;
const brokerType = 4;
/** Where a value comes from, in the protocol's numbers. */
const sources = { topic: 1, staticBroker: 4, preset: 5 } as const;

interface Resource {
  readonly type: number;
  readonly name: string;
}

interface Described extends Omit<DescribedConfig, 'preset'> {
  readonly preset: string | null;
  readonly source: number;
}

export const describeConfigs: Api = {
  key: 32,
  name: 'DescribeConfigs',
  minVersion: 1,
  maxVersion: 2,
  handle(request, context) {
    const resources = request.array((reader) => ({
      ...readResource(reader),
      names: reader.nullableArray((config) => config.string()),
    }));
    const withSynonyms = request.boolean();
    return new Writer().int32(0).array(resources, (writer, resource) => {
      let configs: Described[] = [];
      const { code, message } = outcomeOf(() => {
        configs = describe(resource, context);
      });
      // Some clients send an empty list of names where they mean all.
      const isWanted = ({ name }: Described): boolean =>
        !resource.names?.length || resource.names.includes(name);
      writer.int16(code).string(message).int8(resource.type).string(resource.name);
      writer.array(configs.filter(isWanted), (nested, config) => writeConfig(nested, config, withSynonyms));
    });
  },
};

export const alterConfigs: Api = {
  key: 33,
  name: 'AlterConfigs',
  minVersion: 0,
  maxVersion: 1,
  handle(request, { store }) {
    const resources = request.array((reader) => ({ ...readResource(reader), configs: readConfigs(reader) }));
    const validateOnly = request.boolean();
    return new Writer().int32(0).array(resources, (writer, { type, name, configs }) => {
      const { code, message } = outcomeOf(() => {
        if (type !== topicType) refuseType("The settings of this broker can't be changed.");
        store.topics.configure(name, configs, validateOnly);
      });
      writer.int16(code).string(message).int8(type).string(name);
    });
  },
};

function readResource(reader: Reader): Resource {
  return { type: reader.int8(), name: reader.string() };
}

function describe({ type, name }: Resource, { store, defaultPartitions }: BrokerContext): Described[] {
  if (type === topicType) {
    return describeTopicConfigs(store.topics.get(name).configs).map((config) => ({
      ...config,
      source: config.isPreset ? sources.preset : sources.topic,
    }));
  }
  if (type !== brokerType) return refuseType(`Resources of type ${type} have no settings here.`);
  const settings = {
    'auto.create.topics.enable': 'false',
    'broker.id': String(nodeId),
    'default.replication.factor': '1',
    'num.partitions': String(defaultPartitions),
  };
  return Object.entries(settings).map(([setting, value]) => ({
    name: setting,
    value,
    preset: null,
    isPreset: false,
    source: sources.staticBroker,
  }));
}

function writeConfig(writer: Writer, config: Described, withSynonyms: boolean): void {
  const { name, value, source, preset, isPreset } = config;
  const own = { value, source };
  const synonyms = isPreset || preset === null ? [own] : [own, { value: preset, source: sources.preset }];
  writer
    .string(name)
    .string(value)
    .boolean(source === sources.staticBroker)
    .int8(source)
    .boolean(false)
    .array(withSynonyms ? synonyms : [], (nested, synonym) =>
      nested.string(name).string(synonym.value).int8(synonym.source),
    );
}

function refuseType(message: string): never {
  throw new ProtocolError(errorCodes.INVALID_REQUEST, message);
}
