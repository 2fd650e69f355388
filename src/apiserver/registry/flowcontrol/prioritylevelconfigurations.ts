/** Priority levels: how many requests are served at a time, and how the others wait. */
import type { flowcontrol } from '../../../api/index.ts'
import { path, type Path } from '../../../machinery/field.ts'
import type { Strategy } from '../../strategy.ts'
import { notNegative, oneOfThese, within as inRange, type Check } from '../checks.ts'
import { orDefault, within } from '../defaulting.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

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

function* validate({ spec }: Level): Check {
  const at = path('spec')
  yield* oneOfThese(at.at('type'), spec.type, ['Exempt', 'Limited'])
  if (spec.type === 'Exempt' && spec.limited) yield at.at('limited').forbidden('must be nil if the type is not Limited')
  if (spec.type !== 'Limited') return
  if (spec.exempt) yield at.at('exempt').forbidden('must be nil if the type is Limited')
  if (!spec.limited) return yield at.at('limited').required('must not be empty when type is Limited')
  const place = at.at('limited')
  yield* notNegative(place.at('nominalConcurrencyShares'), spec.limited.nominalConcurrencyShares)
  yield* inRange(place.at('lendablePercent'), spec.limited.lendablePercent, 0, 100)
  yield* notNegative(place.at('borrowingLimitPercent'), spec.limited.borrowingLimitPercent)
  yield* response(place.at('limitResponse'), spec.limited.limitResponse)
}

function* response(at: Path, value: flowcontrol.LimitResponse): Check {
  yield* oneOfThese(at.at('type'), value.type, ['Queue', 'Reject'])
  if (value.type === 'Reject' && value.queuing) yield at.at('queuing').forbidden('must be nil if limited.limitResponse.type is not Limited')
  if (value.type !== 'Queue') return
  const place = at.at('queuing')
  if (!value.queuing) return yield place.required('must not be empty if limited.limitResponse.type is Limited')
  const { queues, handSize, queueLengthLimit } = value.queuing
  if (queueLengthLimit <= 0) yield place.at('queueLengthLimit').invalid(queueLengthLimit, 'must be positive')
  if (queues <= 0) yield place.at('queues').invalid(queues, 'must be positive')
  if (handSize <= 0) yield place.at('handSize').invalid(handSize, 'must be positive')
  else if (handSize > queues) yield place.at('handSize').invalid(handSize, `should not be greater than queues (${queues})`)
}

const queuing = (name: keyof flowcontrol.QueuingConfiguration) => (level: Level): string => {
  const value = level.spec.limited?.limitResponse.queuing?.[name]
  return value === undefined ? '<none>' : String(value)
}

export const prioritylevelconfigurations: Strategy<Level> = {
  default: withDefaults,
  unconditionalUpdate: false,
  validate: (level) => [...validate(level)],
  printer: printer<Level>(
    nameColumn,
    text('Type', 'Whether its requests are limited.', (o) => o.spec.type),
    text('NominalConcurrencyShares', 'Its share of the requests that are served at a time.', (o) => String(o.spec.limited?.nominalConcurrencyShares ?? '<none>')),
    text('Queues', 'How many queues there are.', queuing('queues')),
    text('HandSize', 'How many queues a flow is spread over.', queuing('handSize')),
    text('QueueLengthLimit', 'How many requests a queue holds.', queuing('queueLengthLimit')),
    ageColumn,
  ),
}
