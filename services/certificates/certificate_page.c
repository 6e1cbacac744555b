#include "certificates/certificate_page.h"
#include "certificates/certificate_text.h"

#include <cairo-pdf.h>
#include <pango/pangocairo.h>
#include <qrencode.h>
#include <string.h>
#include <time.h>

#define MM (72.0 / 25.4)
#define FONT_MJ "IPAmjMincho"
#define FONT_EX "IPAexMincho"
#define FONTS FONT_MJ ", " FONT_EX

/* A4 (JIS P 0138) in points; the places of the parts in it. */
enum { QUIET_MODULES = 4, MODULE_PIXELS = 6 };
static const double page_width = 210 * MM, page_height = 297 * MM;
static const double margin = 25 * MM, title_top = 34 * MM, lines_top = 62 * MM, lines_bottom = 172 * MM;
static const double label_width = 62 * MM, statement_top = 178 * MM, signed_top = 192 * MM;
static const double code_top = 222 * MM, code_size = 56 * MM;

static QRcode *code_make(const char *url)
{
    QRcode *code = QRcode_encodeData((int)strlen(url), (const unsigned char *)url, 0, QR_ECLEVEL_M);
    return code ? code : QRcode_encodeData((int)strlen(url), (const unsigned char *)url, 0, QR_ECLEVEL_L);
}

/* One path, filled once: neighbouring modules leave no hair lines. */
static void code_draw(cairo_t *cairo, const QRcode *code, double left, double top, double module)
{
    cairo_set_source_rgb(cairo, 0, 0, 0);
    for (int y = 0; y < code->width; y++)
        for (int x = 0; x < code->width; x++)
            if (code->data[y * code->width + x] & 1)
                cairo_rectangle(cairo, left + x * module, top + y * module, module, module);
    cairo_fill(cairo);
}

static cairo_status_t file_write(void *file, const unsigned char *data, unsigned len)
{
    return fwrite(data, 1, len, file) == len ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

enum page_outcome certificate_page_qr(const char *url, FILE *out)
{
    QRcode *code = code_make(url);
    if (!code)
        return PAGE_FAILED;
    int side = (code->width + 2 * QUIET_MODULES) * MODULE_PIXELS;
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, side, side);
    cairo_t *cairo = cairo_create(surface);
    cairo_set_antialias(cairo, CAIRO_ANTIALIAS_NONE);
    cairo_set_source_rgb(cairo, 1, 1, 1);
    cairo_paint(cairo);
    code_draw(cairo, code, QUIET_MODULES * MODULE_PIXELS, QUIET_MODULES * MODULE_PIXELS, MODULE_PIXELS);
    bool ok = cairo_status(cairo) == CAIRO_STATUS_SUCCESS &&
              cairo_surface_write_to_png_stream(surface, file_write, out) == CAIRO_STATUS_SUCCESS && fflush(out) == 0;
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
    QRcode_free(code);
    return ok ? PAGE_DONE : PAGE_FAILED;
}

/* A page being drawn; the first thing that goes wrong stays. */
struct page {
    cairo_t *cairo;
    enum page_outcome outcome;
};

static void page_fail(struct page *page, enum page_outcome outcome)
{
    if (page->outcome == PAGE_DONE)
        page->outcome = outcome;
}

struct text_style {
    double size, width;
    PangoAlignment align;
    double spacing; /* between letters, points */
};

static bool is_selector(gunichar c)
{
    return (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0xe0100 && c <= 0xe01ef);
}

static bool has_variant(PangoContext *context, const char *family, gunichar c, gunichar selector)
{
    PangoFontDescription *description = pango_font_description_from_string(family);
    PangoFont *font = pango_context_load_font(context, description);
    hb_codepoint_t glyph;
    bool has = font && hb_font_get_variation_glyph(pango_font_get_hb_font(font), c, selector, &glyph);
    if (font)
        g_object_unref(font);
    pango_font_description_free(description);
    return has;
}

/* IPAmj has the variants of Moji_Joho, IPAex those of Adobe-Japan1: a character whose variant only the second has is
 * printed in that. A variant that neither has is printed in its base form; text and QR code keep the selector. */
static void variants_choose(PangoContext *context, const char *text, PangoAttrList *attributes)
{
    gunichar c = 0;
    for (const char *at = text, *before = text; *at; before = at, at = g_utf8_next_char(at)) {
        gunichar next = g_utf8_get_char(at);
        if (is_selector(next) && !has_variant(context, FONT_MJ, c, next) && has_variant(context, FONT_EX, c, next)) {
            PangoAttribute *family = pango_attr_family_new(FONT_EX);
            family->start_index = (guint)(before - text);
            family->end_index = (guint)(g_utf8_next_char(at) - text);
            pango_attr_list_insert(attributes, family);
        }
        c = next;
    }
}

/* A selector without a glyph of its own goes with the character before it, else the PDF's text would lose it. */
static void selectors_join(PangoLayout *layout)
{
    const char *text = pango_layout_get_text(layout);
    for (GSList *line = pango_layout_get_lines(layout); line; line = line->next)
        for (GSList *run = ((PangoLayoutLine *)line->data)->runs; run; run = run->next) {
            PangoGlyphItem *item = run->data;
            PangoGlyphString *glyphs = item->glyphs;
            for (int i = 1; i < glyphs->num_glyphs; i++)
                if (is_selector(g_utf8_get_char(text + item->item->offset + glyphs->log_clusters[i]))) {
                    glyphs->log_clusters[i] = glyphs->log_clusters[i - 1];
                    glyphs->glyphs[i].attr.is_cluster_start = 0;
                }
        }
}

static PangoLayout *text_make(struct page *page, const char *text, const struct text_style *style)
{
    PangoLayout *layout = pango_cairo_create_layout(page->cairo);
    PangoFontDescription *font = pango_font_description_from_string(FONTS);
    pango_font_description_set_absolute_size(font, style->size * PANGO_SCALE);
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    PangoAttrList *attributes = pango_attr_list_new();
    pango_attr_list_insert(attributes, pango_attr_language_new(pango_language_from_string("ja")));
    pango_attr_list_insert(attributes, pango_attr_letter_spacing_new((int)(style->spacing * PANGO_SCALE)));
    variants_choose(pango_layout_get_context(layout), text, attributes);
    pango_layout_set_attributes(layout, attributes);
    pango_attr_list_unref(attributes);
    pango_layout_set_width(layout, (int)(style->width * PANGO_SCALE));
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_alignment(layout, style->align);
    pango_layout_set_single_paragraph_mode(layout, TRUE);
    pango_layout_set_text(layout, text, -1);
    if (pango_layout_get_unknown_glyphs_count(layout) > 0)
        page_fail(page, PAGE_GLYPH_MISSING);
    selectors_join(layout);
    return layout;
}

static double text_height(PangoLayout *layout)
{
    int height;
    pango_layout_get_size(layout, NULL, &height);
    return (double)height / PANGO_SCALE;
}

static double text_draw(struct page *page, double left, double top, const char *text, struct text_style style)
{
    PangoLayout *layout = text_make(page, text, &style);
    double height = text_height(layout);
    cairo_move_to(page->cairo, left, top);
    pango_cairo_show_layout(page->cairo, layout);
    g_object_unref(layout);
    return height;
}

static double lines_height(struct page *page, const struct certificate *certificate, double size)
{
    double total = 0;
    for (size_t i = 0; i < certificate->line_count; i++) {
        struct text_style label = {size, label_width - 3 * MM, PANGO_ALIGN_LEFT, 0};
        struct text_style value = {size, page_width - 2 * margin - label_width, PANGO_ALIGN_LEFT, 0};
        PangoLayout *left = text_make(page, certificate->lines[i].label, &label);
        PangoLayout *right = text_make(page, certificate->lines[i].value, &value);
        total += (text_height(left) > text_height(right) ? text_height(left) : text_height(right)) + size * 0.7;
        g_object_unref(left);
        g_object_unref(right);
    }
    return total;
}

static void lines_draw(struct page *page, const struct certificate *certificate)
{
    static const double sizes[] = {15, 13, 11.5, 10, 8.5, 7};
    size_t fit = 0;
    while (
        fit < sizeof sizes / sizeof sizes[0] && lines_height(page, certificate, sizes[fit]) > lines_bottom - lines_top)
        fit++;
    if (fit == sizeof sizes / sizeof sizes[0]) {
        page_fail(page, PAGE_FULL);
        return;
    }
    double top = lines_top, size = sizes[fit];
    for (size_t i = 0; i < certificate->line_count; i++) {
        double left = text_draw(page, margin, top, certificate->lines[i].label,
            (struct text_style){size, label_width - 3 * MM, PANGO_ALIGN_LEFT, 0});
        double right = text_draw(page, margin + label_width, top, certificate->lines[i].value,
            (struct text_style){size, page_width - 2 * margin - label_width, PANGO_ALIGN_LEFT, 0});
        top += (left > right ? left : right) + size * 0.7;
    }
}

static void signed_draw(struct page *page, const struct certificate *certificate)
{
    double width = page_width - 2 * margin;
    char day[CERTIFICATE_DAY_MAX], text[160];
    text_draw(page, margin, statement_top, "上記の事項が資格者名簿に登録されていることを証します。",
        (struct text_style){12, width, PANGO_ALIGN_LEFT, 0});
    certificate_day_print(certificate->issued_at, day);
    snprintf(text, sizeof text, "発行日　%s", day);
    double top =
        signed_top + 6 + text_draw(page, margin, signed_top, text, (struct text_style){12, width, PANGO_ALIGN_LEFT, 0});
    if (certificate->expires_at) {
        certificate_day_print(certificate->expires_at, day);
        snprintf(text, sizeof text, "有効期限　%s", day);
        text_draw(page, margin, top, text, (struct text_style){12, width, PANGO_ALIGN_LEFT, 0});
    }
    text_draw(page, margin, top, certificate->issuer, (struct text_style){17, width, PANGO_ALIGN_RIGHT, 2});
}

static void code_part_draw(struct page *page, const struct certificate *certificate, const char *url)
{
    static const char *const notes[] = {
        "左の二次元コードを読み取ると、この証の真正性と現在の効力を確認できます。",
        "この証は資格を証するものです。本人であることは、別の書類で確認してください。",
    };
    double left = margin + code_size + 6 * MM, top = code_top + 4 * MM, width = page_width - margin - left;
    char id[CERTIFICATE_ID_MAX];
    QRcode *code = code_make(url);
    if (!code) {
        page_fail(page, PAGE_FAILED);
        return;
    }
    double module = code_size / (code->width + 2 * QUIET_MODULES);
    code_draw(page->cairo, code, margin + QUIET_MODULES * module, code_top + QUIET_MODULES * module, module);
    QRcode_free(code);
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++)
        top += 6 + text_draw(page, left, top, notes[i], (struct text_style){10, width, PANGO_ALIGN_LEFT, 0});
    text_draw(page, left, top + 6, "証明書番号", (struct text_style){8.5, width, PANGO_ALIGN_LEFT, 0});
    certificate_id_print(certificate->id, id);
    text_draw(page, left, top + 18, id, (struct text_style){8.5, width, PANGO_ALIGN_LEFT, 0});
}

static void frame_draw(cairo_t *cairo)
{
    static const struct {
        double inset, line;
    } frames[] = {{10 * MM, 1.6}, {11.6 * MM, 0.5}};
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        cairo_set_line_width(cairo, frames[i].line);
        cairo_rectangle(cairo, frames[i].inset, frames[i].inset, page_width - 2 * frames[i].inset,
            page_height - 2 * frames[i].inset);
        cairo_stroke(cairo);
    }
}

enum page_outcome certificate_page_pdf(const struct certificate *certificate, const char *url, FILE *out)
{
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(file_write, out, page_width, page_height);
    struct page page = {cairo_create(surface), PAGE_DONE};
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, certificate->title);
    frame_draw(page.cairo);
    text_draw(&page, margin, title_top, certificate->title,
        (struct text_style){30, page_width - 2 * margin, PANGO_ALIGN_CENTER, 8});
    lines_draw(&page, certificate);
    signed_draw(&page, certificate);
    code_part_draw(&page, certificate, url);
    cairo_show_page(page.cairo);
    if (cairo_status(page.cairo) != CAIRO_STATUS_SUCCESS)
        page_fail(&page, PAGE_FAILED);
    cairo_destroy(page.cairo);
    cairo_surface_finish(surface);
    if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS || fflush(out) != 0)
        page_fail(&page, PAGE_FAILED);
    cairo_surface_destroy(surface);
    return page.outcome;
}
