"""Examples of the rule n-plus-one in SQLAlchemy."""

from skills.gates.rule import Example


def _mapped(source: str) -> Example:
    """Posts and their authors in SQLAlchemy."""
    models = (
        "class Author(Base):\n    __tablename__ = 'authors'\n"
        "    posts: Mapped[list['Post']] = relationship(back_populates='author')\n\n\n"
        "class Post(Base):\n    __tablename__ = 'posts'\n"
        "    author: Mapped[Author] = relationship(back_populates='posts')\n"
        "    tags = relationship('Tag', lazy='selectin', backref=backref('marked'))\n"
        "    readers = relationship('Reader', secondary=reads, back_populates='posts')\n"
        "    comments = relationship('Comment', backref=backref('post', order_by='Post.id'))\n\n\n"
        "class Comment(Base):\n    __tablename__ = 'comments'\n\n\nclass Tag(Base):\n    __tablename__ = 'tags'\n\n\n"
        "class Reader(Base):\n    __tablename__ = 'readers'\n"
        "    posts = relationship('Post', secondary=reads, back_populates='readers')\n"
    )
    imports = "from sqlalchemy import select\nfrom blog.tables import Author, Comment, Post, Reader\n\n\n"
    return Example({"blog/tables.py": models, "blog/queries.py": imports + source})


MAPPED_BAD: tuple[Example, ...] = (
    _mapped("def f(session):\n    return [post.author.name for post in session.scalars(select(Post)).all()]\n"),
    _mapped(
        "def f(session):\n    for post in session.query(Post).filter(Post.id > 3):\n        print(len(post.comments))\n"
    ),
    _mapped(
        "async def f(session: AsyncSession):\n    rows = await session.execute(select(Author).limit(9))\n"
        "    return [len(author.posts) for author in rows.scalars().all()]\n"
    ),
    _mapped(
        "def f(session):\n    query = select(Author).options(selectinload(Author.posts))\n"
        "    for author in session.scalars(query):\n        for post in author.posts:\n"
        "            print(post.comments)\n"
    ),
    _mapped(
        "def f():\n    for comment in Comment.query.filter_by(open=True).all():\n        print(comment.post.title)\n"
    ),
    _mapped("def f(session):\n    for tag in session.scalars(select(Tag)):\n        print(tag.marked)\n"),
    _mapped(
        "def f(session):\n    for post in session.scalars(select(Post).options(selectinload(Post.readers))):\n"
        "        print([len(reader.posts) for reader in post.readers])\n"
    ),
    _mapped("def f(session):\n    for row in session.execute(select(Post)):\n        print(row.Post.author.name)\n"),
    _mapped("def f(session):\n    return [post.author.name for (post,) in session.execute(select(Post)).all()]\n"),
    _mapped("def f(session):\n    return [row[0].author.name for row in session.execute(select(Post))]\n"),
    _mapped(
        "async def f(session):\n    for post in await session.scalars(select(Post)):\n"
        "        print(await post.awaitable_attrs.author)\n"
    ),
    _mapped("def f():\n    return [post.author.name for post in Post.query.paginate(page=1).items]\n"),
    _mapped(
        "def f(db, key):\n    author = db.get_or_404(Author, key)\n"
        "    return [len(post.comments) for post in author.posts]\n"
    ),
)
MAPPED_GOOD: tuple[Example, ...] = (
    _mapped(
        "def f(session):\n    for reader in session.scalars(select(Reader).options(selectinload(Reader.posts))):\n"
        "        print(len(reader.posts))\n"
    ),
    _mapped(
        "def f(session):\n    posts = session.scalars(select(Post).options(joinedload(Post.author))).all()\n"
        "    return [(post.author.name, post.tags) for post in posts]\n"
    ),
    _mapped(
        "def f(session):\n    query = select(Author).options(selectinload(Author.posts).selectinload(Post.comments))\n"
        "    return [[post.comments, post.author] for author in session.scalars(query) for post in author.posts]\n"
    ),
    _mapped("def f(session):\n    return [row.author for row in session.execute(select(Post.author))]\n"),
    _mapped(
        "def f(session):\n    for row in session.execute(select(Post).options(joinedload(Post.author))):\n"
        "        print(row.Post.author.name)\n"
    ),
    _mapped(
        "async def f(session):\n    for post in await session.scalars(select(Post)):\n"
        "        print(await post.awaitable_attrs.tags)\n"
    ),
    _mapped(
        "def f(session, options):\n    for post in session.scalars(select(Post).options(*options)):\n"
        "        print(post.author)\n"
    ),
)
