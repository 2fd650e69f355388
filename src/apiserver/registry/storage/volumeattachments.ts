/** Volume attachments. */
import type { storage } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import type { Strategy } from '../../strategy.ts'
import { named, unchanged, type Check } from '../checks.ts'
import { ageColumn, boolean, nameColumn, printer, text } from '../printing.ts'

function* validate({ spec }: storage.VolumeAttachment): Check {
  const at = path('spec')
  yield* named(at.at('attacher'), spec.attacher)
  yield* named(at.at('nodeName'), spec.nodeName)
  const { inlineVolumeSpec, persistentVolumeName } = spec.source
  if (inlineVolumeSpec === undefined && persistentVolumeName === undefined) yield at.at('source').required('must specify exactly one of inlineVolumeSpec and persistentVolumeName')
  else if (inlineVolumeSpec !== undefined && persistentVolumeName !== undefined) yield at.at('source').forbidden('must specify exactly one of inlineVolumeSpec and persistentVolumeName')
}

export const volumeattachments: Strategy<storage.VolumeAttachment> = {
  counted: false,
  unconditionalUpdate: false,
  validate: (object) => [...validate(object)],
  validateUpdate: (next, current) => [...validate(next), ...unchanged(path('spec'), next.spec, current.spec)],
  printer: printer<storage.VolumeAttachment>(
    nameColumn,
    text('Attacher', 'The driver that attaches the volume.', (o) => o.spec.attacher),
    text('PV', 'The volume.', (o) => o.spec.source.persistentVolumeName ?? ''),
    text('Node', 'The node it is attached to.', (o) => o.spec.nodeName),
    boolean('Attached', 'Whether it is attached.', (o) => o.status.attached),
    ageColumn,
  ),
}
