/** Priority classes. */
import type { scheduling } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import type { Strategy } from '../../strategy.ts'
import { ifThere, unchanged } from '../checks.ts'
import { orDefault } from '../defaulting.ts'
import { ageColumn, boolean, integer, nameColumn, printer, text } from '../printing.ts'

const highestOfUsers = 1_000_000_000
/** The classes of the system itself, with the values they must have. */
const ofSystem: Readonly<Record<string, number>> = { 'system-cluster-critical': 2_000_000_000, 'system-node-critical': 2_000_001_000 }

function validate(value: scheduling.PriorityClass, root: Place): void {
  const name = value.metadata.name ?? ''
  if (name.startsWith('system-')) {
    const why = ofSystem[name] === undefined ? `${name} is not a known system priority class`
      : ofSystem[name] !== value.value ? `value of ${name} PriorityClass must be ${ofSystem[name]}`
        : value.globalDefault ? `globalDefault of ${name} PriorityClass must be false` : ''
    if (why) root.at('metadata').at('name').forbidden(`priority class names with 'system-' prefix are reserved for system use only. error: ${why}`)
  } else if (value.value > highestOfUsers) root.at('value').forbidden(`maximum allowed value of a user defined priority is ${highestOfUsers}`)
  ifThere(root.at('preemptionPolicy'), value.preemptionPolicy, ['PreemptLowerPriority', 'Never'])
}

function validateUpdate(next: scheduling.PriorityClass, current: scheduling.PriorityClass, root: Place): void {
  if (next.value !== current.value) root.at('value').forbidden('may not be changed in an update.')
  unchanged(root.at('preemptionPolicy'), next.preemptionPolicy, current.preemptionPolicy)
}

export const priorityclasses: Strategy<scheduling.PriorityClass> = {
  counted: true,
  // It is 1, as in Kubernetes, and stays so.
  moved: () => false,
  default: (object) => orDefault(object, { preemptionPolicy: 'PreemptLowerPriority' }),
  validate,
  // Stricter than Kubernetes, which would let a system class become the global default in an update.
  validateUpdate: (next, current, root) => {
    validate(next, root)
    validateUpdate(next, current, root)
  },
  printer: printer<scheduling.PriorityClass>(
    nameColumn,
    integer('Value', 'How much its pods matter: more is more.', (o) => o.value),
    boolean('Global-Default', 'Whether pods that name no class are of this one.', (o) => o.globalDefault ?? false),
    ageColumn,
    text('PreemptionPolicy', 'Whether its pods push out others.', (o) => o.preemptionPolicy ?? ''),
  ),
}
