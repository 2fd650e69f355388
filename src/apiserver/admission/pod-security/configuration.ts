/** What Pod Security does where a namespace says nothing, and whom it lets pass: `PodSecurityConfiguration` in an `AdmissionConfiguration`. */
import { list, opt, rawExtension, req, root, string, struct, zero } from '../../../api/schema.ts'
import { parseConfiguration } from '../../../machinery/configuration.ts'
import { path, type FieldError } from '../../../machinery/field.ts'
import { isVersion, levels, modes, unlabelled, type Level, type Policy, type Standard } from './levels.ts'

const AdmissionPluginConfiguration = struct('AdmissionPluginConfiguration', { name: req(0, string), path: zero(0, string), configuration: opt(0, rawExtension) })
const AdmissionConfiguration = root('AdmissionConfiguration', { plugins: zero(0, list(AdmissionPluginConfiguration)) })

const Defaults = struct('PodSecurityDefaults', {
  'enforce': zero(0, string), 'enforce-version': zero(0, string),
  'audit': zero(0, string), 'audit-version': zero(0, string),
  'warn': zero(0, string), 'warn-version': zero(0, string),
})
const Exemptions = struct('PodSecurityExemptions', { usernames: zero(0, list(string)), namespaces: zero(0, list(string)), runtimeClasses: zero(0, list(string)) })
const PodSecurityConfiguration = root('PodSecurityConfiguration', { defaults: opt(0, Defaults), exemptions: opt(0, Exemptions) })

export interface PodSecurityOptions {
  /** What holds where a label is missing. */
  readonly defaults: Policy
  readonly exempt: { readonly usernames: ReadonlySet<string>; readonly namespaces: ReadonlySet<string>; readonly runtimeClasses: ReadonlySet<string> }
}

const nobody: ReadonlySet<string> = new Set()
/** Without a configuration nothing is enforced and nobody is exempt. */
export const openPodSecurity: PodSecurityOptions = { defaults: unlabelled, exempt: { usernames: nobody, namespaces: nobody, runtimeClasses: nobody } }

/**
 * What an admission configuration file says of Pod Security, the one plugin that takes a configuration. `read` gives the text of a file that
 * the configuration names. Throws an `Error` of one line that names what is wrong.
 */
export function parsePodSecurity(text: string, read: (path: string) => string): PodSecurityOptions {
  const { value, refuse } = parseConfiguration(text, AdmissionConfiguration, { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AdmissionConfiguration' })
  const plugins = value.plugins ?? []
  const at = path('plugins')
  refuse(plugins.flatMap(({ name, path: file, configuration }, i) => {
    if (name !== 'PodSecurity') return [at.index(i).at('name').notSupported(name, ['PodSecurity'])]
    if (plugins.findIndex((plugin) => plugin.name === name) < i) return [at.index(i).at('name').duplicate(name)]
    return file && configuration ? [at.index(i).at('path').invalid(file, 'either a path or a configuration may be given')] : []
  }))
  const index = plugins.findIndex(({ name }) => name === 'PodSecurity')
  const plugin = plugins[index]
  if (!plugin?.path && !plugin?.configuration) return openPodSecurity
  return plugin.path
    ? within(plugin.path, () => parse(read(plugin.path!)))
    // What is written within another file has no lines of its own.
    : within(`plugins[${index}].configuration`, () => parse(JSON.stringify(plugin.configuration)), /line \d+: /g)
}

function within<T>(where: string, act: () => T, left = /^$/): T {
  try {
    return act()
  } catch (error) {
    throw new Error(`${where}: ${(error as Error).message.replace(left, '')}`, { cause: error })
  }
}

function parse(text: string): PodSecurityOptions {
  const { value, refuse } = parseConfiguration(text, PodSecurityConfiguration, { apiVersion: 'pod-security.admission.config.k8s.io/v1', kind: 'PodSecurityConfiguration' })
  const defaults: Readonly<Record<string, string | undefined>> = value.defaults ?? {}
  refuse(modes.flatMap((mode) => standardErrors(mode, defaults)))
  const standard = (mode: string): Standard => ({ level: (defaults[mode] || 'privileged') as Level, version: defaults[`${mode}-version`] || 'latest' })
  const { usernames = [], namespaces = [], runtimeClasses = [] } = value.exemptions ?? {}
  return {
    defaults: { enforce: standard('enforce'), audit: standard('audit'), warn: standard('warn') },
    exempt: { usernames: new Set<string>(usernames), namespaces: new Set<string>(namespaces), runtimeClasses: new Set<string>(runtimeClasses) },
  }
}

function standardErrors(mode: string, defaults: Readonly<Record<string, string | undefined>>): readonly FieldError[] {
  const at = path('defaults')
  const { [mode]: level, [`${mode}-version`]: version } = defaults
  return [
    ...(level && !levels.includes(level) ? [at.at(mode).invalid(level, `must be one of ${levels.join(', ')}`)] : []),
    ...(version && !isVersion(version) ? [at.at(`${mode}-version`).invalid(version, 'must be "latest" or "v1.x"')] : []),
  ]
}
