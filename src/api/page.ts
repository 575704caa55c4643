import { type TSchema, Type } from 'typebox';
import { Nullable } from '../contract/building-blocks.ts';

export const PAGE_DEFAULT = 50;
const PAGE_MOST = 500;

export const pageQuery = {
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: PAGE_MOST,
      default: PAGE_DEFAULT,
      description: 'entries of the page',
    }),
  ),
  cursor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 100, description: '`next` of the page before' }),
  ),
};
export const PageQuery = Type.Object(pageQuery, { additionalProperties: false });

export const Link = Type.String({
  description: 'RFC 8288; rel="next" leads to the page that follows, if there is one',
});

/** A page of a list. */
export const page = (item: TSchema, title: string, more: Record<string, TSchema> = {}) =>
  Type.Object(
    {
      data: Type.Array(item),
      next: Nullable(Type.String({ description: '`cursor` of the page that follows; null on the last one' })),
      ...more,
    },
    { additionalProperties: false, title },
  );
