/** The pages a person looks at: static files, embedded in the executable. */
export { type Page, PAGE_HEADERS, readPages } from "./pages.ts";
