/** Expressions by which claims and classes select devices: CEL over `device`. It has to be loaded where there are any: `selectorsReady`. */
import type { dra } from '../../../api/index.ts'
import type { CelEnvironment, CelType } from '../../../machinery/cel/index.ts'
import { FieldError, type Place } from '../../../machinery/field.ts'
import { cel, celReady } from '../../admission/policies/cel.ts'

let known: CelEnvironment | undefined
const environment = (): CelEnvironment => (known ??= makeEnvironment())

/** A device as expressions see it; attributes and capacities by domain, then by name. */
function makeEnvironment(): CelEnvironment {
  const { BOOL, celEnvironment, mapOf, objectOf, opaque, stringOf } = cel()
  const most = 32
  const id = stringOf(32)
  const domain = stringOf(63)
  const byName = (value: CelType): CelType => mapOf(mapOf(value, { key: id, max: most }), { key: domain, max: most })
  const device = objectOf('kubernetes.DRADevice', {
    driver: domain,
    attributes: byName({ kind: 'dyn', max: 64 }),
    capacity: byName(opaque('kubernetes.Quantity')),
    allowMultipleAllocations: BOOL,
  })
  return celEnvironment({ variables: { device }, measured: device, bindings: true })
}

/** For the `ready` of a class. */
export const selectorsReady = (list: readonly dra.DeviceSelector[] | undefined): Promise<void> | undefined => celReady((list?.length ?? 0) > 0)

/** For the `ready` of a claim, or of a template of claims. */
export const claimReady = ({ devices }: dra.ResourceClaimSpec): Promise<void> | undefined =>
  celReady((devices?.requests ?? []).some(({ exactly, firstAvailable = [] }) => [...(exactly ? [exactly] : []), ...firstAvailable].some(({ selectors }) => selectors?.length)))

const costLimit = 1_000_000

/** Reports what is wrong with a selector's expression: it must give a bool, and not cost too much for any device. */
export function deviceExpression(at: Place, source: string): void {
  const { CelError, CelProgramError, compileCel, isDyn, typeName } = cel()
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
