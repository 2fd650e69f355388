/** Priority levels: how many requests are served at a time, and how the others wait. */
import { flowcontrol as resources, type flowcontrol } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { mandatoryLevels } from '../../flowcontrol/objects.ts'
import type { Strategy } from '../../strategy.ts'
import { distinct, forEach, within as inRange } from '../checks.ts'
import { orDefault, within } from '../defaulting.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'
import { complete } from './fixed.ts'

type Level = flowcontrol.PriorityLevelConfiguration

const orElse = (value: number, other: number): number => (value === 0 ? other : value)

const withDefaults = (level: Level): Level => within(level, 'spec', (spec) => {
  if (spec.type === 'Exempt') return { ...spec, exempt: orDefault(spec.exempt ?? {}, { nominalConcurrencyShares: 0, lendablePercent: 0 }) }
  return within(spec, 'limited', (limited) => {
    const next = orDefault(limited, { nominalConcurrencyShares: 30, lendablePercent: 0 })
    return within(next, 'limitResponse', (response) => within(response, 'queuing', (q) => ({
      queues: orElse(q.queues, 64), handSize: orElse(q.handSize, 8), queueLengthLimit: orElse(q.queueLengthLimit, 50),
    })))
  })
})

/** What older versions of the kind keep a zero by; no object of this one has it. */
const keepsZero = 'flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares'

function validate({ metadata, spec }: Level, root: Place): void {
  const at = root.at('spec')
  if (metadata.annotations && Object.hasOwn(metadata.annotations, keepsZero)) root.at('metadata').at('annotations').forbidden(`annotation '${keepsZero}' is forbidden`)
  if ((metadata.name === 'exempt') !== (spec.type === 'Exempt')) at.at('type').invalid(spec.type, "type must be 'Exempt' if and only if name is 'exempt'")
  if (spec.type === 'Exempt') {
    if (spec.limited) at.at('limited').forbidden('must be nil if the type is not Limited')
    shares(at.at('exempt'), spec.exempt ?? {})
  } else if (spec.type === 'Limited') limits(at, spec)
  else at.at('type').notSupported(spec.type, ['Exempt', 'Limited'])
  fixedSpec(at, metadata.name, spec)
}

/** What every cluster has stays as it is, but for the shares of what is never limited. */
function fixedSpec(at: Place, name: string | undefined, spec: flowcontrol.PriorityLevelConfigurationSpec): void {
  const fixed = mandatoryLevels.find((level) => level.name === name)
  if (!fixed) return
  const { exempt: _a, ...wanted } = withDefaults({ spec: complete(resources.prioritylevelconfigurations, fixed) } as Level).spec
  const { exempt: _b, ...is } = spec
  const except = name === 'exempt' ? " except the 'spec.exempt' field" : ''
  if (!deepEqual(is, wanted) || (name !== 'exempt' && spec.exempt)) at.invalid(spec, `spec of '${name}'${except} must equal the fixed value`)
}

function shares(at: Place, value: flowcontrol.ExemptPriorityLevelConfiguration): void {
  const { nominalConcurrencyShares: nominal } = value
  if (nominal !== undefined && nominal < 0) at.at('nominalConcurrencyShares').invalid(nominal, 'must be a non-negative integer')
  inRange(at.at('lendablePercent'), value.lendablePercent, 0, 100)
}

function limits(at: Place, spec: flowcontrol.PriorityLevelConfigurationSpec): void {
  if (spec.exempt) at.at('exempt').forbidden('must be nil if the type is Limited')
  if (!spec.limited) return at.at('limited').required('must not be empty when type is Limited')
  const place = at.at('limited')
  shares(place, spec.limited)
  const borrowed = spec.limited.borrowingLimitPercent
  if (borrowed !== undefined && borrowed < 0) place.at('borrowingLimitPercent').invalid(borrowed, 'if specified, must be a non-negative integer')
  response(place.at('limitResponse'), spec.limited.limitResponse)
}

function response(at: Place, value: flowcontrol.LimitResponse): void {
  if (value.type !== 'Queue' && value.type !== 'Reject') at.at('type').notSupported(value.type, ['Queue', 'Reject'])
  if (value.type === 'Reject' && value.queuing) at.at('queuing').forbidden('must be nil if limited.limitResponse.type is not Limited')
  if (value.type !== 'Queue') return
  const place = at.at('queuing')
  if (!value.queuing) return place.required('must not be empty if limited.limitResponse.type is Limited')
  const { queues, handSize, queueLengthLimit } = value.queuing
  if (queueLengthLimit <= 0) place.at('queueLengthLimit').invalid(queueLengthLimit, 'must be positive')
  if (queues <= 0) place.at('queues').invalid(queues, 'must be positive')
  else if (queues > mostQueues) place.at('queues').invalid(queues, `must not be greater than ${mostQueues}`)
  if (handSize <= 0) place.at('handSize').invalid(handSize, 'must be positive')
  else if (handSize > queues) place.at('handSize').invalid(handSize, `should not be greater than queues (${queues})`)
  else if (entropy(queues, handSize) > hashBits) place.at('handSize').invalid(handSize, `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${hashBits}`)
}

const mostQueues = 10_000_000
const hashBits = 60

/** How many bits of a hash it takes to deal a hand. */
const entropy = (queues: number, handSize: number): number => Math.ceil(Math.log2(queues) * handSize)

function statusErrors({ status }: Level, root: Place): void {
  const at = root.at('status').at('conditions')
  forEach(at, status.conditions, (condition, place) => {
    if (!condition.type) place.at('type').required('must not be empty')
  })
  distinct(at, status.conditions, (condition) => condition.type, 'type')
}

const queuing = (name: keyof flowcontrol.QueuingConfiguration) => (level: Level): number | string =>
  level.spec.limited?.limitResponse.queuing?.[name] ?? '<none>'

export const prioritylevelconfigurations: Strategy<Level> = {
  default: withDefaults,
  statusOnly: true,
  validate,
  validateStatusUpdate: (next, _current, root) => statusErrors(next, root),
  printer: printer<Level>(
    nameColumn,
    text('Type', 'Whether its requests are limited.', (o) => o.spec.type),
    text('NominalConcurrencyShares', 'Its share of the requests that are served at a time.', (o) => o.spec.limited?.nominalConcurrencyShares ?? '<none>'),
    text('Queues', 'How many queues there are.', queuing('queues')),
    text('HandSize', 'How many queues a flow is spread over.', queuing('handSize')),
    text('QueueLengthLimit', 'How many requests a queue holds.', queuing('queueLengthLimit')),
    ageColumn,
  ),
}
