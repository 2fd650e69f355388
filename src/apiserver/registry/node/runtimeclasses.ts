/** Runtime classes. */
import type { node } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { dns1123Label } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { forEach, named, unchanged } from '../checks.ts'
import { nodeSelectorLabels } from '../core/validation/env.ts'
import { oldNodeLabel } from '../core/node-labels.ts'
import { containerResources } from '../core/validation/resources.ts'
import { toleration } from '../core/validation/scheduling.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

function validate(value: node.RuntimeClass, root: Place): void {
  named(root.at('handler'), value.handler, dns1123Label)
  if (value.overhead?.podFixed) containerResources(root.at('overhead').at('podFixed'), { limits: value.overhead.podFixed })
  nodeSelectorLabels(root.at('scheduling').at('nodeSelector'), value.scheduling?.nodeSelector)
  forEach(root.at('scheduling').at('tolerations'), value.scheduling?.tolerations, toleration)
  const tolerations = value.scheduling?.tolerations ?? []
  for (const [i, item] of tolerations.entries()) {
    if (tolerations.slice(0, i).some((other) => deepEqual(other, item))) root.at('scheduling').at('tolerations').index(i).duplicate(item)
  }
}

export const runtimeclasses: Strategy<node.RuntimeClass> = {
  anyFinalizers: true,
  unconditionalUpdate: false,
  createOnUpdate: true,
  validate,
  validateUpdate: (next, current, root) => {
    validate(next, root)
    unchanged(root.at('handler'), next.handler, current.handler)
  },
  warnings: ({ scheduling }) => Object.keys(scheduling?.nodeSelector ?? {}).map(oldNodeLabel).filter((text) => text !== undefined).map((text) => `scheduling.nodeSelector: ${text}`),
  printer: printer<node.RuntimeClass>(nameColumn, text('Handler', 'What the container runtime calls it.', (o) => o.handler), ageColumn),
}
