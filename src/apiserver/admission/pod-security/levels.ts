/** The Pod Security Standards a namespace asks for, in its labels. */
import { path, type FieldError } from '../../../machinery/field.ts'

export type Level = 'privileged' | 'baseline' | 'restricted'
export interface Standard { readonly level: Level; readonly version: string }
export interface Policy { readonly enforce: Standard; readonly audit: Standard; readonly warn: Standard }

const prefix = 'pod-security.kubernetes.io/'
const levels: readonly string[] = ['privileged', 'baseline', 'restricted']
const modes = ['enforce', 'audit', 'warn'] as const
type Labels = Readonly<Record<string, string>> | undefined

/** `restricted:latest`, as messages write it. */
export const textOf = ({ level, version }: Standard): string => `${level}:${version}`

/** What the labels ask for; what they leave out is privileged, at the latest version. */
export function policyOf(labels: Labels): Policy {
  const standard = (mode: (typeof modes)[number]): Standard => {
    const level = labels?.[prefix + mode] ?? 'privileged'
    const version = labels?.[`${prefix}${mode}-version`] ?? 'latest'
    // A label that cannot be read must not open the namespace.
    return { level: levels.includes(level) ? (level as Level) : mode === 'enforce' ? 'restricted' : 'privileged', version: isVersion(version) ? version : 'latest' }
  }
  return { enforce: standard('enforce'), audit: standard('audit'), warn: standard('warn') }
}

const isVersion = (text: string): boolean => text === 'latest' || /^v1\.\d+$/.test(text)

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
