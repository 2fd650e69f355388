/** The certificate library, loaded only when a signing request is to be read or made: a start does without it. */
export async function loadX509(): Promise<typeof import('@peculiar/x509')> {
  await import('reflect-metadata') // its decorators need it, first
  return import('@peculiar/x509')
}
