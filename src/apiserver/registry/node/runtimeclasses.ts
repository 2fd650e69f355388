/** Runtime classes. */
import type { node } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import { dns1123Label } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { forEach, named, unchanged, type Check } from '../checks.ts'
import { nodeSelectorLabels } from '../core/validation/env.ts'
import { amount } from '../core/validation/resources.ts'
import { toleration } from '../core/validation/scheduling.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

function* validate(value: node.RuntimeClass): Check {
  yield* named(path('handler'), value.handler, dns1123Label)
  for (const [name, quantity] of Object.entries(value.overhead?.podFixed ?? {})) yield* amount(path('overhead').at('podFixed').key(name), name, quantity)
  yield* nodeSelectorLabels(path('scheduling').at('nodeSelector'), value.scheduling?.nodeSelector)
  yield* forEach(path('scheduling').at('tolerations'), value.scheduling?.tolerations, toleration)
}

export const runtimeclasses: Strategy<node.RuntimeClass> = {
  unconditionalUpdate: false,
  validate: (object) => [...validate(object)],
  validateUpdate: (next, current) => [...validate(next), ...unchanged(path('handler'), next.handler, current.handler)],
  printer: printer<node.RuntimeClass>(nameColumn, text('Handler', 'What the container runtime calls it.', (o) => o.handler), ageColumn),
}
