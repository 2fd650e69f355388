/** The Pod Security Standards a namespace asks for, in its labels. */
import { path, type FieldError } from '../../../machinery/field.ts'

export type Level = 'privileged' | 'baseline' | 'restricted'
export interface Standard { readonly level: Level; readonly version: string }
export interface Policy { readonly enforce: Standard; readonly audit: Standard; readonly warn: Standard }

const prefix = 'pod-security.kubernetes.io/'
export const levels: readonly string[] = ['privileged', 'baseline', 'restricted']
export const modes = ['enforce', 'audit', 'warn'] as const
type Labels = Readonly<Record<string, string>> | undefined

/** `restricted:latest`, as messages write it. */
export const textOf = ({ level, version }: Standard): string => `${level}:${version}`

/** What holds where nobody says anything. */
export const unlabelled: Policy = {
  enforce: { level: 'privileged', version: 'latest' }, audit: { level: 'privileged', version: 'latest' }, warn: { level: 'privileged', version: 'latest' },
}

/** Whether it asks for nothing, in no mode. */
export const asksNothing = (policy: Policy): boolean => modes.every((mode) => policy[mode].level === 'privileged')

/** Whether both ask for the same; all versions of `privileged` are the same. */
export const same = (a: Standard, b: Standard): boolean => a.level === b.level && (a.level === 'privileged' || a.version === b.version)

/** Whether the new standard may refuse what the old one took. */
export const isStricter = (next: Standard, old: Standard): boolean =>
  next.level !== 'privileged' && (next.version === old.version ? levels.indexOf(next.level) > levels.indexOf(old.level) : true)

/** The labelled modes that ask for something: `enforce=baseline:latest, warn=restricted:v1.30`. */
export function summary(labels: Labels, policy: Policy): string {
  const asked = modes.filter((mode) => policy[mode].level !== 'privileged' && (labels?.[prefix + mode] !== undefined || labels?.[`${prefix}${mode}-version`] !== undefined))
  return asked.map((mode) => `${mode}=${textOf(policy[mode])}`).join(', ')
}

/** What the labels ask for; `defaults` for what they leave out. Warnings are at least of what is enforced by label, unless a label says otherwise. */
export function policyOf(labels: Labels, defaults: Policy = unlabelled): Policy {
  const standard = (mode: (typeof modes)[number]): Standard => {
    const level = labels?.[prefix + mode] ?? defaults[mode].level
    const version = labels?.[`${prefix}${mode}-version`] ?? defaults[mode].version
    // A label that cannot be read must not open the namespace.
    return { level: levels.includes(level) ? (level as Level) : mode === 'enforce' ? 'restricted' : 'privileged', version: isVersion(version) ? version : 'latest' }
  }
  const policy = { enforce: standard('enforce'), audit: standard('audit'), warn: standard('warn') }
  const enforced = labels?.[`${prefix}enforce`]
  const follows = enforced !== undefined && levels.includes(enforced) && labels?.[`${prefix}warn`] === undefined && levels.indexOf(enforced) > levels.indexOf(policy.warn.level)
  if (!follows) return policy
  return { ...policy, warn: { level: policy.enforce.level, version: labels?.[`${prefix}warn-version`] === undefined ? policy.enforce.version : policy.warn.version } }
}

/** The newest version of the standards that is known; later ones are taken for it. */
export const newest = 36

/** The minor version that a standard is of. */
export const minorOf = ({ version }: Standard): number => (version === 'latest' ? newest : Math.min(newest, Number(version.slice('v1.'.length))))

/** Whether the text is a policy version: `latest` or `v1.<minor>`, the number as it is usually written and no larger than 64 bits hold. */
export function isVersion(text: string): boolean {
  const minor = /^v1\.(0|[1-9]\d{0,18})$/.exec(text)?.[1]
  return text === 'latest' || (minor !== undefined && BigInt(minor) <= 2n ** 63n - 1n)
}

/** What is wrong with the labels. */
export function labelErrors(labels: Labels): readonly FieldError[] {
  const at = path('metadata.labels')
  return modes.flatMap((mode) => {
    const level = labels?.[prefix + mode]
    const versionKey = `${prefix}${mode}-version`
    const version = labels?.[versionKey]
    return [
      ...(level !== undefined && !levels.includes(level) ? [at.key(prefix + mode).invalid(level, `must be one of ${levels.join(', ')}`)] : []),
      ...(version !== undefined && !isVersion(version) ? [at.key(versionKey).invalid(version, 'must be "latest" or "v1.x"')] : []),
    ]
  })
}
