/** `AdmissionConfiguration`, the file behind `--admission-control-config-file`: what plugins are told, in the file itself or in files of their own. */
import { list, opt, rawExtension, req, root, string, struct, zero } from '../../api/schema.ts'
import { parseConfiguration } from '../../machinery/configuration.ts'
import { path } from '../../machinery/field.ts'
import { parseYaml } from '../../machinery/yaml.ts'
import { parsePodSecurity } from './pod-security/configuration.ts'
import { parseEventRateLimit } from './plugins/event-rate-limit.ts'
import { parseImagePolicy } from './plugins/image-policy-webhook.ts'
import { parsePodNodeSelector } from './plugins/pod-node-selector.ts'
import { parsePodTolerationRestriction } from './plugins/pod-toleration-restriction.ts'
import { parseResourceQuota } from '../quota/limited.ts'
import { parseWebhookAdmission } from './webhooks/credentials.ts'

const AdmissionPluginConfiguration = struct('AdmissionPluginConfiguration', { name: req(0, string), path: zero(0, string), configuration: opt(0, rawExtension) })
const AdmissionConfiguration = root('AdmissionConfiguration', { plugins: zero(0, list(AdmissionPluginConfiguration)) })

/** Every plugin that takes a configuration, and what reads it. */
const readers = {
  EventRateLimit: parseEventRateLimit,
  ImagePolicyWebhook: parseImagePolicy,
  MutatingAdmissionWebhook: parseWebhookAdmission,
  PodNodeSelector: parsePodNodeSelector,
  PodSecurity: parsePodSecurity,
  PodTolerationRestriction: parsePodTolerationRestriction,
  ResourceQuota: parseResourceQuota,
  ValidatingAdmissionWebhook: parseWebhookAdmission,
} as const

/** What plugins are told, by their names. */
export type PluginConfigurations = { readonly [Name in keyof typeof readers]?: ReturnType<(typeof readers)[Name]> }

/** The two whose configuration was a file without kind and version, and may be all of the file still. */
const legacy = { imagePolicy: 'ImagePolicyWebhook', podNodeSelectorPluginConfig: 'PodNodeSelector' } as const

/** `read` gives the text of a file that the configuration names. Throws an `Error` of one line that names what is wrong. */
export function parseAdmissionConfiguration(text: string, read: (path: string) => string): PluginConfigurations {
  const old = legacyConfigurations(text)
  if (old) return old
  const { value, refuse } = parseConfiguration(text, AdmissionConfiguration, { apiVersion: ['apiserver.config.k8s.io/v1', 'apiserver.k8s.io/v1alpha1'], kind: 'AdmissionConfiguration' })
  const plugins = value.plugins ?? []
  const at = path('plugins')
  refuse(plugins.flatMap(({ name, path: file, configuration }, i) => {
    if (!Object.hasOwn(readers, name)) return [at.index(i).at('name').notSupported(name, Object.keys(readers))]
    if (plugins.findIndex((plugin) => plugin.name === name) < i) return [at.index(i).at('name').duplicate(name)]
    return file && configuration ? [at.index(i).at('path').invalid(file, 'either a path or a configuration may be given')] : []
  }))
  return Object.fromEntries(plugins.flatMap(({ name, path: file, configuration }, i) => {
    const parse = readers[name as keyof typeof readers]
    if (file) return [[name, within(file, () => parse(read(file)))]]
    // What is written within another file has no lines of its own.
    return configuration ? [[name, within(`plugins[${i}].configuration`, () => parse(JSON.stringify(configuration)), /line \d+: /g)]] : []
  })) as PluginConfigurations
}

function legacyConfigurations(text: string): PluginConfigurations | undefined {
  const whole = readable(text)
  if (typeof whole !== 'object' || whole === null || 'kind' in whole || 'apiVersion' in whole) return undefined
  const found = Object.entries(legacy).filter(([key]) => key in whole)
  if (found.length === 0) return undefined
  return Object.fromEntries(found.map(([key, name]) => [name, within(key, () => readers[name](JSON.stringify({ [key]: whole[key] })))]))
}

/** Undefined for what is no YAML: that is said, with its place, by who reads the other form. */
function readable(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return parseYaml(text) as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}

function within<T>(where: string, act: () => T, left = /^$/): T {
  try {
    return act()
  } catch (error) {
    throw new Error(`${where}: ${(error as Error).message.split('\n', 1)[0]?.replace(left, '')}`, { cause: error })
  }
}
