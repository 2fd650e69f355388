/** Runtime classes. */
import type { node } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import { dns1123Label } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { forEach, named, unchanged, type Check } from '../checks.ts'
import { nodeSelectorLabels } from '../core/validation/env.ts'
import { containerResources } from '../core/validation/resources.ts'
import { toleration } from '../core/validation/scheduling.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

function* validate(value: node.RuntimeClass): Check {
  yield* named(path('handler'), value.handler, dns1123Label)
  if (value.overhead?.podFixed) yield* containerResources(path('overhead').at('podFixed'), { limits: value.overhead.podFixed })
  yield* nodeSelectorLabels(path('scheduling').at('nodeSelector'), value.scheduling?.nodeSelector)
  yield* forEach(path('scheduling').at('tolerations'), value.scheduling?.tolerations, toleration)
  const tolerations = value.scheduling?.tolerations ?? []
  for (const [i, item] of tolerations.entries()) {
    if (tolerations.slice(0, i).some((other) => deepEqual(other, item))) yield path('scheduling').at('tolerations').index(i).duplicate(item)
  }
}

export const runtimeclasses: Strategy<node.RuntimeClass> = {
  unconditionalUpdate: false,
  validate: (object) => [...validate(object)],
  validateUpdate: (next, current) => [...validate(next), ...unchanged(path('handler'), next.handler, current.handler)],
  printer: printer<node.RuntimeClass>(nameColumn, text('Handler', 'What the container runtime calls it.', (o) => o.handler), ageColumn),
}
