"""The hooks that mkdocs calls: pages added for notebooks, public names and linked files, and links rewritten."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

from website import links, notebooks, reference

ALONE = ("gallery.md",)
"""Pages that are the only one in their part of the navigation, beside the home page."""
_made: dict[str, str] = {}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """The pages that are made, and the navigation with those of the reference."""
    docs = Path(config.docs_dir)
    _made.clear()
    _made.update(reference.pages())
    section = next(entry["Reference"] for entry in config.nav or () if "Reference" in entry)
    section[:0] = [uri if uri in reference.LISTS else {Path(uri).stem: uri} for uri in _made]
    for path in sorted(docs.glob("notebooks/*.ipynb")):
        _made[path.relative_to(docs).with_suffix(".md").as_posix()] = notebooks.markdown(path)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The files of the site, those made here among them."""
    for uri, text in _made.items():
        files.append(File.generated(config, uri, content=text))
    pages = [f"docs/{file.src_uri}" for file in files.documentation_pages() if file.src_uri not in _made]
    listed = str(config.nav)
    for uri, text in links.sources(pages).items():
        level = InclusionLevel.INCLUDED if repr(uri) in listed else InclusionLevel.NOT_IN_NAV
        files.append(File.generated(config, uri, content=text, inclusion=level))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The text of a page with links that the site has."""
    if page.is_homepage or page.file.src_uri in ALONE:
        page.meta["hide"] = ["navigation"]
    return markdown if page.file.generated_by else links.rewritten(markdown, f"docs/{page.file.src_uri}")
