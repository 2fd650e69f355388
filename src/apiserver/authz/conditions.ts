/** `matchConditions` of an authorization webhook: expressions over `request`, a SubjectAccessReviewSpec. Imports CEL. */
import { CelError, CelProgramError, celEnvironment, compileCel, isDyn, listOf, mapOf, objectOf, STRING } from '../../machinery/cel/index.ts'

const requirement = objectOf('kubernetes.SelectorRequirement', { key: STRING, operator: STRING, values: listOf(STRING) })
const selector = objectOf('kubernetes.SelectorAttributes', { rawSelector: STRING, requirements: listOf(requirement) })
const attributes = objectOf('kubernetes.ResourceAttributes', {
  verb: STRING, group: STRING, version: STRING, resource: STRING, subresource: STRING, name: STRING, fieldSelector: selector, labelSelector: selector,
})
const request = objectOf('kubernetes.SubjectAccessReviewSpec', {
  // In this type `namespace` is not escaped, although it is a reserved word of CEL.
  resourceAttributes: { type: { ...attributes, fields: new Map([...attributes.fields, ['namespace', { type: STRING, json: 'namespace' }]]) } },
  nonResourceAttributes: objectOf('kubernetes.NonResourceAttributes', { path: STRING, verb: STRING }),
  user: STRING, groups: listOf(STRING), extra: mapOf(listOf(STRING)), uid: STRING,
})
const environment = celEnvironment({ variables: { request } })

/** String fields that a review omits when empty; expressions see them as empty strings. */
const texts = { namespace: '', verb: '', group: '', version: '', resource: '', subresource: '', name: '' }

interface Selector { readonly rawSelector?: string; readonly requirements?: readonly { readonly values?: readonly string[] }[] }

/** A non-empty selector; requirements without values get an empty list. */
function selecting({ rawSelector, requirements = [] }: Selector): Selector | undefined {
  if (rawSelector) return { rawSelector }
  return requirements.length > 0 ? { requirements: requirements.map((one) => ({ ...one, values: one.values ?? [] })) } : undefined
}

/** The attributes as expressions see them. */
function shown(attributes: { readonly fieldSelector?: Selector; readonly labelSelector?: Selector }): object {
  const { fieldSelector, labelSelector, ...rest } = attributes
  const fields = fieldSelector && selecting(fieldSelector)
  const labels = labelSelector && selecting(labelSelector)
  return { ...texts, ...rest, ...(fields ? { fieldSelector: fields } : {}), ...(labels ? { labelSelector: labels } : {}) }
}

/**
 * Compiles the conditions. The result returns whether all hold; it throws when one fails to evaluate and none of the others is false.
 * Throws an `Error` that names the expression that does not compile.
 */
export function compileConditions(expressions: readonly string[]): (spec: object) => boolean {
  const programs = expressions.map((source) => {
    try {
      const program = compileCel(source, environment)
      if (!isDyn(program.type) && program.type.kind !== 'bool') throw new CelError('must evaluate to bool')
      return program
    } catch (error) {
      throw error instanceof CelError ? new Error(`${JSON.stringify(source)}: ${error instanceof CelProgramError ? 'program instantiation' : 'compilation'} failed: ${error.message}`, { cause: error }) : error
    }
  })
  return (spec) => {
    const { resourceAttributes, groups = [], extra = {}, uid = '', ...rest } = spec as { readonly resourceAttributes?: object; readonly groups?: object; readonly extra?: object; readonly uid?: string }
    const value = { ...rest, groups, extra, uid, ...(resourceAttributes ? { resourceAttributes: shown(resourceAttributes) } : {}) }
    let problem: unknown
    for (const program of programs) {
      try {
        if (program.evaluate({ request: value }).value !== true) return false
      } catch (error) {
        problem ??= error
      }
    }
    if (problem !== undefined) throw problem
    return true
  }
}
