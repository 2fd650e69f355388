/** What Pod Security does where a namespace says nothing, and whom it lets pass: `PodSecurityConfiguration` in an `AdmissionConfiguration`. */
import { list, opt, root, string, struct, zero } from '../../../api/schema.ts'
import { parseConfiguration } from '../../../machinery/configuration.ts'
import { path, type FieldError, type Path } from '../../../machinery/field.ts'
import { dns1123Label, dns1123Subdomain, type NameRule } from '../../../machinery/names.ts'
import { isVersion, levels, modes, unlabelled, type Level, type Policy, type Standard } from './levels.ts'

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

/** Throws an `Error` of one line that names what is wrong. */
export function parsePodSecurity(text: string): PodSecurityOptions {
  const { value, refuse } = parseConfiguration(text, PodSecurityConfiguration, { apiVersion: ['v1', 'v1beta1', 'v1alpha1'].map((version) => `pod-security.admission.config.k8s.io/${version}`), kind: 'PodSecurityConfiguration' })
  const defaults: Readonly<Record<string, string | undefined>> = value.defaults ?? {}
  refuse([...modes.flatMap((mode) => standardErrors(mode, defaults)), ...exemptionErrors(value.exemptions ?? {})])
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

/** Each that is exempt is named once, as it can be called. */
function exemptionErrors({ usernames = [], namespaces = [], runtimeClasses = [] }: { readonly [K in 'usernames' | 'namespaces' | 'runtimeClasses']?: readonly string[] }): readonly FieldError[] {
  const at = path('exemptions')
  return [
    ...namesErrors(at.at('namespaces'), namespaces, dns1123Label),
    ...namesErrors(at.at('runtimeClasses'), runtimeClasses, dns1123Subdomain),
    ...namesErrors(at.at('usernames'), usernames),
  ]
}

/** Without a rule, what is not empty is a name. */
function namesErrors(at: Path, names: readonly string[], rule?: NameRule): readonly FieldError[] {
  return names.flatMap((name, i) => {
    const wrong = rule?.(name) ?? []
    if (wrong.length > 0) return [at.index(i).invalid(name, wrong.join(', '))]
    if (!rule && name === '') return [at.index(i).required()]
    return names.indexOf(name) < i ? [at.index(i).duplicate(name)] : []
  })
}
