/** allOf, anyOf, oneOf and not. */
import { compileCheck } from './check.ts'
import { issue, joined, type Check, type Issues } from './issue.ts'
import type { Schema } from './props.ts'
import { compileScore, type Score } from './score.ts'

interface Branch { readonly check: Check; readonly score: Score }

const branches = (schemas: readonly Schema[] | undefined): readonly Branch[] => (schemas ?? []).map((schema) => {
  let check: Check | undefined
  return { check: (value, old) => (check ??= compileCheck(schema))(value, old), score: compileScore(schema) }
})

/** Kubernetes puts the path into the message, and names the whole value as the field. */
const complaint = (text: (name: string) => string): Issues => [issue((name, _, whole) => whole.invalid('', text(JSON.stringify(name))))]

/** The check of a schema's junctors, if it has any. */
export function junctors(schema: Schema): Check | undefined {
  const parts = [anyOf(branches(schema.anyOf)), oneOf(branches(schema.oneOf)), allOf(branches(schema.allOf)), not(schema.not)].flatMap((part) => part ?? [])
  if (parts.length === 0) return undefined
  return (value, old) => parts.reduce<Issues>((issues, part) => joined(issues, part(value, old)), undefined)
}

/** The issues of the branch that matched best, which is likely the intended one. */
function closest(failed: readonly { readonly branch: Branch; readonly issues: Issues }[], value: unknown): Issues {
  let best: Issues
  let most = -1
  for (const { branch, issues } of failed) {
    const score = branch.score(value)
    if (score > most) {
      most = score
      best = issues
    }
  }
  return best
}

function anyOf(list: readonly Branch[]): Check | undefined {
  if (list.length === 0) return undefined
  return (value, old) => {
    const failed: { branch: Branch; issues: Issues }[] = []
    for (const branch of list) {
      const issues = branch.check(value, old)
      if (!issues) return undefined
      failed.push({ branch, issues })
    }
    return joined(complaint((name) => `${name} must validate at least one schema (anyOf)`), closest(failed, value))
  }
}

function oneOf(list: readonly Branch[]): Check | undefined {
  if (list.length === 0) return undefined
  return (value, old) => {
    const results = list.map((branch) => ({ branch, issues: branch.check(value, old) }))
    const valid = results.filter(({ issues }) => !issues).length
    if (valid === 1) return undefined
    if (valid > 1) return complaint((name) => `${name} must validate one and only one schema (oneOf). Found ${valid} valid alternatives`)
    return joined(complaint((name) => `${name} must validate one and only one schema (oneOf). Found none valid`), closest(results, value))
  }
}

function allOf(list: readonly Branch[]): Check | undefined {
  if (list.length === 0) return undefined
  return (value, old) => {
    const results = list.map(({ check }) => check(value, old))
    const failed = results.filter((issues) => issues !== undefined)
    if (failed.length === 0) return undefined
    const why = failed.length === list.length ? '. None validated' : ''
    return joined(failed.flat(), complaint((name) => `${name} must validate all the schemas (allOf)${why}`))
  }
}

function not(schema: Schema | undefined): Check | undefined {
  if (!schema) return undefined
  const check = compileCheck(schema)
  return (value, old) => (check(value, old) ? undefined : complaint((name) => `${name} must not validate the schema (not)`))
}
