/** Pod templates that stand alone. */
import type { core } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import type { Strategy } from '../../strategy.ts'
import { within } from '../defaulting.ts'
import { labelsText, nameColumn, printer, text } from '../printing.ts'
import { podTemplateDefaults } from './defaults/pod-spec.ts'
import { templateWarnings } from './pod-warnings.ts'
import { podTemplate } from './validation/pod-spec.ts'

const templatePrinter = printer<core.PodTemplate>(
  nameColumn,
  text('Containers', 'Names of the containers in the template.', (o) => o.template.spec.containers.map((c) => c.name).join(',')),
  text('Images', 'Images that the containers of the template run.', (o) => o.template.spec.containers.map((c) => c.image ?? '').join(',')),
  text('Pod Labels', 'Labels of the pods it makes.', (o) => labelsText(o.template.metadata.labels)),
)

export const podtemplates: Strategy<core.PodTemplate> = {
  counted: true,
  default: (template) => within(template, 'template', podTemplateDefaults),
  validate: (template, root) => podTemplate(root.at('template'), template.template),
  warnings: (object, current) => templateWarnings(path('template'), object, object.template, current),
  printer: templatePrinter,
}
