/** Expressions by which claims and classes select devices: CEL over `device`. */
import { BOOL, CelError, CelProgramError, celEnvironment, compileCel, isDyn, mapOf, objectOf, opaque, stringOf, typeName, type CelEnvironment, type CelType } from '../../../machinery/cel/index.ts'
import { FieldError, type Place } from '../../../machinery/field.ts'

const most = 32
const id = stringOf(32)
const domain = stringOf(63)
const byName = (value: CelType): CelType => mapOf(mapOf(value, { key: id, max: most }), { key: domain, max: most })

/** A device as expressions see it; attributes and capacities by domain, then by name. */
const device = objectOf('kubernetes.DRADevice', {
  driver: domain,
  attributes: byName({ kind: 'dyn', max: 64 }),
  capacity: byName(opaque('kubernetes.Quantity')),
  allowMultipleAllocations: BOOL,
})

let known: CelEnvironment | undefined
const environment = (): CelEnvironment => (known ??= celEnvironment({ variables: { device }, measured: device, bindings: true }))

const costLimit = 1_000_000

/** Reports what is wrong with a selector's expression: it must give a bool, and not cost too much for any device. */
export function deviceExpression(at: Place, source: string): void {
  try {
    const { type, cost } = compileCel(source, environment())
    if (type.kind !== 'bool' && !isDyn(type)) at.invalid(source, `must evaluate to bool or the unknown type, not ${typeName(type)}`)
    else if (cost.max > costLimit) at.forbidden('too complex, exceeds cost limit')
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    if (error instanceof CelProgramError) at.say(new FieldError('InternalError', at.text, `program instantiation failed: ${error.message}`))
    else at.invalid(source, `compilation failed: ${error.message}`)
  }
}
