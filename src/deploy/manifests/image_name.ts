/** An image as kustomize's `images:` names it. */
export interface ImageName {
  readonly name: string;
  readonly newTag?: string;
  readonly digest?: string;
}

/** Takes an image's tag or digest off; a colon before a slash is a port, not a tag. */
export function splitImage(image: string): ImageName {
  const at = image.indexOf("@");
  const withTag = at < 0 ? image : image.slice(0, at);
  const colon = withTag.lastIndexOf(":");
  const hasTag = colon > withTag.lastIndexOf("/");
  const name = hasTag ? withTag.slice(0, colon) : withTag;
  if (at >= 0) return { name, digest: image.slice(at + 1) };
  return hasTag ? { name, newTag: withTag.slice(colon + 1) } : { name };
}
