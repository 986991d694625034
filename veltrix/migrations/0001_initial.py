import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Attempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('password', 'Password'), ('code', 'Code'), ('challenge', 'Passkey')], max_length=10)),
                ('account_digest', models.CharField(blank=True, max_length=64)),
                ('network_digest', models.CharField(max_length=64)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'default_permissions': (),
                'indexes': [models.Index(fields=['kind', 'network_digest', 'at'], name='attempts_of_a_network'), models.Index(fields=['kind', 'account_digest', 'at'], name='attempts_at_an_account')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['password', 'code', 'challenge'])), name='attempt_has_a_known_kind')],
            },
        ),
        migrations.CreateModel(
            name='Passkey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('credential_id', models.CharField(help_text='In base64url.', max_length=1400, unique=True)),
                ('public_key', models.BinaryField(help_text='The attested credential data of WebAuthn, its public key included.')),
                ('sign_count', models.BigIntegerField(default=0)),
                ('name', models.CharField(max_length=60)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('used_at', models.DateTimeField(blank=True, null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='passkeys', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['created_at'],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='RecoveryCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('used_at', models.DateTimeField(blank=True, null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='recovery_codes', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_index=True, default=django.utils.timezone.now, verbose_name='when')),
                ('act', models.CharField(choices=[('sign-in', 'Signed in'), ('sign-in-failed', 'Sign-in failed'), ('second-step-failed', 'Second step failed'), ('sign-out', 'Signed out'), ('confirmed', 'Confirmed who they are'), ('confirm-failed', 'Failed to confirm who they are'), ('password', 'Password changed'), ('factor-added', 'Second factor added'), ('factor-removed', 'Second factor removed'), ('codes', 'Recovery codes made'), ('session-ended', 'Session ended'), ('permissions', 'Permissions changed'), ('published', 'Published'), ('exported', 'Exported'), ('added', 'Added'), ('changed', 'Changed'), ('deleted', 'Deleted')], max_length=20, verbose_name='what')),
                ('subject_type', models.CharField(blank=True, help_text='The model, such as articles.article.', max_length=100)),
                ('subject_key', models.CharField(blank=True, max_length=100)),
                ('subject_name', models.CharField(blank=True, max_length=200, verbose_name='to what')),
                ('words', models.TextField(blank=True, max_length=2000, verbose_name='in words')),
                ('address', models.GenericIPAddressField(help_text='Forgotten after a while.', null=True, verbose_name='from where')),
                ('browser', models.CharField(blank=True, max_length=60)),
                ('user', models.ForeignKey(help_text='Empty where no account has the name that was typed; the name itself is not kept.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='audit_entries', to=settings.AUTH_USER_MODEL, verbose_name='who')),
            ],
            options={
                'verbose_name': 'audit entry',
                'verbose_name_plural': 'audit entries',
                'ordering': ['-at', '-pk'],
                'default_permissions': ['view'],
                'indexes': [models.Index(fields=['act', '-at'], name='audit_entry_by_act')],
                'constraints': [models.CheckConstraint(condition=models.Q(('act__in', ['sign-in', 'sign-in-failed', 'second-step-failed', 'sign-out', 'confirmed', 'confirm-failed', 'password', 'factor-added', 'factor-removed', 'codes', 'session-ended', 'permissions', 'published', 'exported', 'added', 'changed', 'deleted'])), name='audit_entry_has_a_known_act', violation_error_message='Nobody can do this.')],
            },
        ),
        migrations.CreateModel(
            name='Authenticator',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('secret', models.TextField(help_text='Encrypted with a key that comes from SECRET_KEY.')),
                ('last_step', models.BigIntegerField(default=0, help_text='The time step of the last code: no code works twice.')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='authenticators', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(condition=models.Q(('confirmed_at__isnull', False)), fields=('user',), name='one_working_authenticator_for_a_person'), models.UniqueConstraint(condition=models.Q(('confirmed_at', None)), fields=('user',), name='one_begun_authenticator_for_a_person')],
            },
        ),
        migrations.CreateModel(
            name='SessionRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('factor', models.CharField(blank=True, choices=[('', 'Password only'), ('code', 'Password and code'), ('passkey', 'Passkey'), ('recovery', 'Password and recovery code')], default='', max_length=10)),
                ('address', models.GenericIPAddressField(null=True)),
                ('network', models.CharField(blank=True, max_length=50)),
                ('browser', models.CharField(blank=True, max_length=60)),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('seen_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('confirmed_at', models.DateTimeField(default=django.utils.timezone.now, help_text='When a password or factor was last given.')),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='session_records', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'session',
                'ordering': ['-seen_at'],
                'permissions': [('manage_sign_in', "Can end others' sessions and reset their second factors")],
                'default_permissions': (),
                'indexes': [models.Index(fields=['user', '-seen_at'], name='sessions_of_a_person')],
                'constraints': [models.CheckConstraint(condition=models.Q(('factor__in', ['', 'code', 'passkey', 'recovery'])), name='session_has_a_known_factor')],
            },
        ),
    ]
